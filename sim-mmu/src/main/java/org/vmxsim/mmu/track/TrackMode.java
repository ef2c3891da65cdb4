package org.vmxsim.mmu.track;

import org.vmxsim.mmu.ept.AccessRules;

/** What of a page is followed: KVM's {@code kvm_page_track_mode}, with the KVMI series' three. */
public enum TrackMode {
    /** Writes, told after they have landed. */
    WRITE(2),
    /** Reads, told before. Takes write permission too: an EPT entry cannot allow writes without reads. */
    PREREAD(1 | 2),
    /** Writes, told before. */
    PREWRITE(2),
    /** Instruction fetches, told before. */
    PREEXEC(4);

    private final int takes;

    TrackMode(int takes) {
        this.takes = takes;
    }

    /**
     * What the guest may still do to the page without an exit.
     *
     * @return bits 0 to 2: read, write, execute
     */
    public int permissions() {
        return AccessRules.ALL & ~takes;
    }
}
