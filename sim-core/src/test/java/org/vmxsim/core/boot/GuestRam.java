package org.vmxsim.core.boot;

import org.vmxsim.core.memory.PhysicalMemory;

/** Machine memory as a loader sees it. For tests. */
public record GuestRam(PhysicalMemory memory) implements GuestMemory {
    @Override
    public void load(long address, byte[] bytes) {
        memory.load(address, bytes);
    }

    @Override
    public long lowRamBytes() {
        return memory.ramBytes();
    }
}
