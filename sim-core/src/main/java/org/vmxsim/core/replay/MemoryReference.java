package org.vmxsim.core.replay;

/** One reference of a memory trace: a reusable cursor. */
public final class MemoryReference {
    /** What the program did with memory. */
    public enum Kind {
        /** An instruction fetch. */
        FETCH,
        /** A load. */
        LOAD,
        /** A store. */
        STORE,
        /** A load and a store of the same place by one instruction. */
        MODIFY
    }

    /** Largest size of one reference, in bytes: what one XSAVE may touch. */
    public static final int MAX_SIZE_BYTES = 4096;

    /** What was done. */
    public Kind kind = Kind.LOAD;
    /** Linear address of the first byte. */
    public long linear;
    /** Bytes touched, 1 to {@link #MAX_SIZE_BYTES}. */
    public int sizeBytes;

    /** An empty cursor. */
    public MemoryReference() {}

    /**
     * Copies all fields.
     *
     * @param other the reference to copy from
     */
    public void set(MemoryReference other) {
        kind = other.kind;
        linear = other.linear;
        sizeBytes = other.sizeBytes;
    }
}
