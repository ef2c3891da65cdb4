package org.vmxsim.core.platform.apic;

import org.vmxsim.core.memory.MmioDevice;

/**
 * The page in which each processor finds its own local APIC in xAPIC mode: at 0xfee00000, or where the processor has
 * moved it by IA32_APIC_BASE. The machine says whose turn it is. SDM "Relocating the Local APIC Registers".
 */
public final class LocalApicPage implements MmioDevice {
    /** Physical address of the page, if software does not move it. */
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

    /**
     * The page wherever it has been moved to, for {@code PhysicalMemory.answerElsewhere}: neither RAM nor another
     * device may lie there.
     *
     * @return a device whose offsets are physical addresses
     */
    public MmioDevice moved() {
        return new MmioDevice() {
            @Override
            public long read(long hpa, int sizeBytes) {
                return readAt(hpa, sizeBytes);
            }

            @Override
            public void write(long hpa, int sizeBytes, long value) {
                writeAt(hpa, sizeBytes, value);
            }
        };
    }

    @Override
    public long read(long offset, int sizeBytes) {
        return readAt(BASE + offset, sizeBytes);
    }

    @Override
    public void write(long offset, int sizeBytes, long value) {
        writeAt(BASE + offset, sizeBytes, value);
    }

    private long readAt(long hpa, int sizeBytes) {
        if (!current.isMappedAt(hpa)) {
            return sizeBytes == 8 ? -1 : (1L << 8 * sizeBytes) - 1;
        }
        int within = (int) hpa & 15;
        int value = within < 4 ? current.registers().load((int) hpa >>> 4 & 0xff) : 0;
        return (value & 0xffff_ffffL) >>> 8 * (within & 3);
    }

    /** Registers are 32 bits wide; what other stores would do is undefined, here nothing. */
    private void writeAt(long hpa, int sizeBytes, long value) {
        if (current.isMappedAt(hpa) && (hpa & 15) == 0 && sizeBytes >= 4) {
            current.registers().store((int) hpa >>> 4 & 0xff, (int) value);
        }
    }
}
