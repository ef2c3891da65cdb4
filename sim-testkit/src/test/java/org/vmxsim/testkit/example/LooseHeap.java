package org.vmxsim.testkit.example;

/** The same policy, deliberately wrong: objects begin where a sub-page begins. */
class LooseHeap extends GuardedHeap {
    LooseHeap(long gpa) {
        super(gpa);
    }

    @Override
    long allocate(int sizeBytes) {
        return super.allocate(sizeBytes) + sizeBytes - roundedUp(sizeBytes);
    }
}
