package org.vmxsim.testkit.example;

/** Fails, and is run by {@link ShrinkingTest} alone. */
class LooseHeapExample extends GuardedHeapProperties {
    @Override
    GuardedHeap heap() {
        return new LooseHeap(0x20_0000);
    }
}
