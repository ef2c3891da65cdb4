package org.vmxsim.mmu.track;

/**
 * One access, or the part of it in one page, as a {@link PageTracker} is told it. Reused from call to call: valid only
 * during the call.
 */
public final class TrackedAccess {
    private int vcpu;
    private long gpa;
    private long gla;
    private int sizeBytes;
    private long data;
    private boolean dataKnown;
    private int suppliedBytes;

    /** An access of nothing; to be filled by {@link #set}. */
    public TrackedAccess() {}

    /**
     * Begins an access without data.
     *
     * @param newVcpu number of the vCPU
     * @param newGpa guest-physical address of the first byte
     * @param newGla guest-linear address of the first byte
     * @param newSizeBytes bytes, all in one page
     * @return this
     */
    public TrackedAccess set(int newVcpu, long newGpa, long newGla, int newSizeBytes) {
        vcpu = newVcpu;
        gpa = newGpa;
        gla = newGla;
        sizeBytes = newSizeBytes;
        data = 0;
        dataKnown = false;
        suppliedBytes = 0;
        return this;
    }

    /**
     * Adds what is written.
     *
     * @param newData little-endian; of at most 8 bytes
     * @return this
     */
    public TrackedAccess writing(long newData) {
        data = newData;
        dataKnown = true;
        return this;
    }

    /**
     * Whose access it is.
     *
     * @return number of the vCPU
     */
    public int vcpu() {
        return vcpu;
    }

    /**
     * Where it goes.
     *
     * @return guest-physical address of the first byte
     */
    public long gpa() {
        return gpa;
    }

    /**
     * Where it goes, before guest paging.
     *
     * @return guest-linear address of the first byte; 0 if the processor did not say
     */
    public long gla() {
        return gla;
    }

    /**
     * How much.
     *
     * @return bytes, all in one page; 1 for a fetch
     */
    public int sizeBytes() {
        return sizeBytes;
    }

    /**
     * What is written, little-endian.
     *
     * @return the value; 0 if {@link #isDataKnown} says no
     */
    public long data() {
        return data;
    }

    /**
     * Whether {@link #data} is what is written: not for reads and fetches, and not for what the processor itself pushes
     * while it delivers an event.
     *
     * @return true if it is
     */
    public boolean isDataKnown() {
        return dataKnown;
    }

    /**
     * In place of memory, a read takes its first bytes from here. Counts only if the answer is
     * {@link PageTracker.Answer#CONTINUE}.
     *
     * @param value the bytes, little-endian
     * @param valueBytes how many, 0 to 8; the rest comes from memory
     * @throws IllegalArgumentException if the number is out of range
     */
    public void supply(long value, int valueBytes) {
        if (valueBytes < 0 || valueBytes > 8) {
            throw new IllegalArgumentException("need 0 to 8 bytes, got " + valueBytes);
        }
        data = value;
        suppliedBytes = Math.min(valueBytes, sizeBytes);
    }

    /**
     * Merges what was supplied over what is in memory.
     *
     * @param memory the value in memory
     * @return what the guest reads
     */
    public long merged(long memory) {
        if (suppliedBytes == 0) {
            return memory;
        }
        long mask = -1L >>> 64 - 8 * suppliedBytes;
        return memory & ~mask | data & mask;
    }
}
