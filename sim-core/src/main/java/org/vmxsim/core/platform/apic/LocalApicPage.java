package org.vmxsim.core.platform.apic;

import org.vmxsim.core.memory.MmioDevice;

/**
 * The page at 0xfee00000, in which each processor finds its own local APIC in xAPIC mode: the machine says whose turn
 * it is. The page stays there, whatever address software writes to IA32_APIC_BASE.
 */
public final class LocalApicPage implements MmioDevice {
    /** Physical address of the page. */
    public static final long BASE = 0xfee0_0000L;
    /** Its size, in bytes. */
    public static final long SIZE_BYTES = 0x1000;

    private LocalApic current;

    /**
     * The page, as seen by one processor.
     *
     * @param first the local APIC of the processor that runs first
     */
    public LocalApicPage(LocalApic first) {
        this.current = first;
    }

    /**
     * Another processor runs now.
     *
     * @param apic its local APIC
     */
    public void turn(LocalApic apic) {
        current = apic;
    }

    @Override
    public long read(long offset, int sizeBytes) {
        if (!current.isMapped()) {
            return sizeBytes == 8 ? -1 : (1L << 8 * sizeBytes) - 1;
        }
        int within = (int) offset & 15;
        int value = within < 4 ? current.registers().load((int) (offset >>> 4)) : 0;
        return (value & 0xffff_ffffL) >>> 8 * (within & 3);
    }

    /** Registers are 32 bits wide; what other stores would do is undefined, here nothing. */
    @Override
    public void write(long offset, int sizeBytes, long value) {
        if (current.isMapped() && (offset & 15) == 0 && sizeBytes >= 4) {
            current.registers().store((int) (offset >>> 4), (int) value);
        }
    }
}
