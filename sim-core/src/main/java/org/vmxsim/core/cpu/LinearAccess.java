package org.vmxsim.core.cpu;

/**
 * What {@link MemoryUnit} falls back to when its fast path does not know the page: full translation with checks, page
 * crossings, devices, sub-page permissions. Implementations: functional engine, cycle engine, instruction emulator.
 * Failure is reported by {@code Processor.pending} being non-zero on return.
 *
 * <p>When something is pending already, loads, stores and probes do nothing at all: so an instruction with several
 * accesses, or with a failed segment check before its access, needs to look at {@code pending} only at its end.
 */
public abstract class LinearAccess {
    /**
     * Sees stores of a processor: all of them in the cycle engine; in the functional engine those to pages without a
     * write tag, sub-page protected pages among them. Nothing it does changes the run.
     */
    public interface StoreObserver {
        /**
         * A store is being made.
         *
         * @param hpa host-physical address of the first byte
         * @param sizeBytes bytes, all in one 4-KiB page
         */
        void stored(long hpa, int sizeBytes);
    }

    /** For implementations. */
    protected LinearAccess() {}

    /**
     * A data load.
     *
     * @param linear linear address, any alignment
     * @param sizeBytes 1, 2, 4 or 8
     * @return the value, zero-extended; meaningless if an exception or exit is pending
     */
    public abstract long load(long linear, int sizeBytes);

    /**
     * A data load of one byte that MONITOR makes to know where it is.
     *
     * @param linear linear address
     * @return host-physical address, or -1 if an exception or exit is pending
     */
    public abstract long monitoredAddress(long linear);

    /**
     * A data store. Nothing is stored if an exception or exit becomes pending.
     *
     * @param linear linear address, any alignment
     * @param sizeBytes 1, 2, 4 or 8
     * @param value the value
     */
    public abstract void store(long linear, int sizeBytes, long value);

    /**
     * The load of a read-modify-write: write permission is checked first, and the place is remembered for
     * {@link #completeUpdate}.
     *
     * @param linear linear address, any alignment
     * @param sizeBytes 1, 2, 4 or 8
     * @param locked whether the instruction is locked
     * @return the value, zero-extended; meaningless if an exception or exit is pending
     */
    public abstract long loadForUpdate(long linear, int sizeBytes, boolean locked);

    /**
     * The store of the read-modify-write begun last; cannot fail.
     *
     * @param value the value
     */
    public abstract void completeUpdate(long value);

    /**
     * Checks that a range may be written (or read) without touching it, for instructions that must not half-complete.
     *
     * @param linear first linear address
     * @param sizeBytes bytes, 1 to 4096
     * @param write whether to check for writing
     */
    public abstract void probe(long linear, int sizeBytes, boolean write);

    /**
     * As {@link #probe}, for accesses that the processor makes by itself.
     *
     * @param linear first linear address
     * @param sizeBytes bytes, 1 to 4096
     * @param write whether to check for writing
     */
    public abstract void probeSystem(long linear, int sizeBytes, boolean write);

    /**
     * Translates the address of the next instruction for fetching.
     *
     * @param linear linear address
     * @return host-physical address, or -1 if an exception or exit is pending
     */
    public abstract long fetchAddress(long linear);

    /**
     * A load that the processor makes by itself (descriptor tables, IDT, TSS), with supervisor rights at any CPL.
     *
     * @param linear linear address, any alignment
     * @param sizeBytes 1, 2, 4 or 8
     * @return the value, zero-extended; meaningless if an exception or exit is pending
     */
    public abstract long loadSystem(long linear, int sizeBytes);

    /**
     * A store that the processor makes by itself (descriptor tables, TSS, stack pushes), with supervisor rights at any
     * CPL. Nothing is stored if an exception or exit becomes pending.
     *
     * @param linear linear address, any alignment
     * @param sizeBytes 1, 2, 4 or 8
     * @param value the value
     */
    public abstract void storeSystem(long linear, int sizeBytes, long value);

    /**
     * A shadow-stack load: of CALL, RET, RSTORSSP and their kin, and of event delivery. It faults unless the page is a
     * shadow-stack page of the mode asked for. SDM "Determination of Access Rights".
     *
     * @param linear linear address, any alignment
     * @param sizeBytes 4 or 8
     * @param user whether the access is a user-mode one: CPL 3, or made on behalf of CPL 3 (WRUSS)
     * @return the value, zero-extended; meaningless if an exception or exit is pending
     */
    public abstract long loadShadowStack(long linear, int sizeBytes, boolean user);

    /**
     * A shadow-stack store. Nothing is stored if an exception or exit becomes pending.
     *
     * @param linear linear address, any alignment
     * @param sizeBytes 4 or 8
     * @param value the value
     * @param user whether the access is a user-mode one: CPL 3, or WRUSS at any CPL
     */
    public abstract void storeShadowStack(long linear, int sizeBytes, long value, boolean user);

    /**
     * The load of a locked read-modify-write of a shadow stack, as of a token's busy bit: write permission is checked
     * first, and the place is remembered for {@link #completeUpdate}, which may be left out.
     *
     * @param linear linear address, any alignment
     * @param sizeBytes 4 or 8
     * @param user whether the access is a user-mode one
     * @return the value, zero-extended; meaningless if an exception or exit is pending
     */
    public abstract long loadShadowStackForUpdate(long linear, int sizeBytes, boolean user);

    /**
     * As {@link #probe}, for shadow-stack accesses.
     *
     * @param linear first linear address
     * @param sizeBytes bytes, 1 to 4096
     * @param write whether to check for writing
     * @param user whether the access is a user-mode one
     */
    public abstract void probeShadowStack(long linear, int sizeBytes, boolean write, boolean user);

    /**
     * Whether {@link #load}, {@link #store}, {@link #loadForUpdate} and {@link #probe} (of 1, 2, 4 or 8 bytes) raise
     * #AC(0) unless the address is a multiple of the size: CPL 3, CR0.AM and RFLAGS.AC. Left to the processor by the
     * manual, it comes before the faults of translation. SDM "Interrupt 17 - Alignment Check Exception (#AC)".
     *
     * @return true if so; false where nothing overrides this
     */
    public boolean checksAlignment() {
        return false;
    }

    /** Told that control registers, EFER, the CPL, RFLAGS.AC, PKRU, IA32_PKRS, VPID or EPTP may have changed. */
    public void contextChanged() {}
}
