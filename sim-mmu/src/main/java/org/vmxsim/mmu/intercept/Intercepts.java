package org.vmxsim.mmu.intercept;

import java.util.BitSet;
import java.util.function.LongSupplier;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.mmu.guest.GuestMsrs;
import org.vmxsim.mmu.guest.GuestVmcs;
import org.vmxsim.mmu.guest.PendingException;
import org.vmxsim.vmx.control.PrimaryControls;
import org.vmxsim.vmx.control.SecondaryControls;

/** The instructions and exceptions of one vCPU's guest that somebody wants to see. To begin with: none. */
public final class Intercepts {
    private static final int BREAKPOINT_VECTOR = 3;
    private static final int BREAKPOINT = 1 << BREAKPOINT_VECTOR;
    private static final int MSRS = 0x2000;
    private static final int HIGH_MSRS = 0xc000_0000;

    private final int vcpu;
    private final GuestVmcs vmcs;
    private final PhysicalMemory memory;
    private final LongSupplier newFrame;
    private InterceptListener listener = new InterceptListener() {};
    /** MSRs that are seen, reads and writes, by {@link #index}. */
    private final BitSet wanted = new BitSet();

    private long bitmap = -1;
    private int exceptions;
    private boolean breakpoints;
    private boolean cr3;
    private boolean cpuid;

    /**
     * No intercepts.
     *
     * @param vcpu number of the vCPU
     * @param vmcs the vCPU's VMCS
     * @param memory the machine's physical memory
     * @param newFrame where the frame for MSR bitmaps of its own comes from
     */
    public Intercepts(int vcpu, GuestVmcs vmcs, PhysicalMemory memory, LongSupplier newFrame) {
        this.vcpu = vcpu;
        this.vmcs = vmcs;
        this.memory = memory;
        this.newFrame = newFrame;
    }

    /**
     * Sets who is told.
     *
     * @param newListener the listener, or null for none
     */
    public void listener(InterceptListener newListener) {
        listener = newListener == null ? new InterceptListener() {} : newListener;
    }

    /**
     * Asks about an exception that the guest is about to be entered with.
     *
     * @param exception the exception, or null for none
     * @return false if the guest is not to be entered yet
     */
    public boolean mayInject(PendingException exception) {
        return exception == null || listener.injecting(vcpu, exception) != InterceptListener.Answer.HOLD;
    }

    int vcpu() {
        return vcpu;
    }

    InterceptListener listener() {
        return listener;
    }

    /**
     * Chooses which writes of a control register are seen.
     *
     * @param number 0, 3 or 4
     * @param mask of CR0 and CR4 the bits whose change is seen; of CR3 every write is seen unless it is 0
     * @throws IllegalArgumentException for another number
     */
    public void controlRegister(int number, long mask) {
        switch (number) {
            case 0 -> vmcs.cr0Mask(mask);
            case 4 -> vmcs.cr4Mask(mask);
            case 3 -> {
                cr3 = mask != 0;
                vmcs.primary(PrimaryControls.CR3_LOAD_EXITING, cr3);
            }
            default -> throw new IllegalArgumentException("need control register 0, 3 or 4, got " + number);
        }
    }

    /**
     * Chooses whether uses of a model-specific register are seen. Those that the guest has no direct access to are VM
     * exits anyway, but told only if asked for here.
     *
     * @param msr number of the register: 0 to 0x1fff or 0xc0000000 to 0xc0001fff
     * @param reads whether reads are seen
     * @param writes whether writes are seen
     * @throws IllegalArgumentException if the number is in neither range
     */
    public void msr(int msr, boolean reads, boolean writes) {
        if (!isInBitmaps(msr)) {
            throw new IllegalArgumentException("need an MSR of the bitmaps, got 0x" + Integer.toHexString(msr));
        }
        if (bitmap < 0) {
            bitmap = newFrame.getAsLong();
            GuestMsrs.writeBitmaps(memory, bitmap);
            vmcs.msrBitmaps(bitmap);
        }
        wanted.set(index(msr, false), reads);
        wanted.set(index(msr, true), writes);
        GuestMsrs.intercept(memory, bitmap, msr, reads, writes);
    }

    /**
     * Whether the MSR bitmaps have a register, so that its uses can be seen.
     *
     * @param msr number of the register
     * @return true for 0 to 0x1fff and 0xc0000000 to 0xc0001fff
     */
    public static boolean isInBitmaps(int msr) {
        return Integer.compareUnsigned(msr, MSRS) < 0 || Integer.compareUnsigned(msr - HIGH_MSRS, MSRS) < 0;
    }

    private static int index(int msr, boolean write) {
        return (msr & MSRS - 1) | (msr < 0 ? MSRS : 0) | (write ? 2 * MSRS : 0);
    }

    boolean sees(int msr, boolean write) {
        return isInBitmaps(msr) && wanted.get(index(msr, write));
    }

    /**
     * Chooses which exceptions are seen before the guest.
     *
     * @param vectors bit n for vector n; NMIs are no exceptions
     * @throws IllegalArgumentException if bit 2 is set
     */
    public void exceptions(int vectors) {
        if ((vectors & 1 << 2) != 0) {
            throw new IllegalArgumentException("need vectors of exceptions, got bit 2");
        }
        exceptions = vectors;
        vmcs.exceptionBitmap(exceptions | (breakpoints ? BREAKPOINT : 0));
    }

    boolean sees(int vector) {
        return (exceptions >>> vector & 1) != 0;
    }

    /**
     * Chooses whether breakpoint instructions go to the vCPU's caller.
     *
     * @param on true if they do
     */
    public void breakpoints(boolean on) {
        breakpoints = on;
        exceptions(exceptions);
    }

    boolean leavesToCaller(int vector) {
        return breakpoints && vector == BREAKPOINT_VECTOR;
    }

    /**
     * Chooses whether CPUID is seen.
     *
     * @param on true if it is
     */
    public void cpuid(boolean on) {
        cpuid = on;
    }

    boolean seesCpuid() {
        return cpuid;
    }

    /**
     * Chooses whether loads and stores of GDTR, IDTR, LDTR and TR are seen.
     *
     * @param on true if they are
     */
    public void descriptorTables(boolean on) {
        vmcs.secondary(SecondaryControls.DESCRIPTOR_TABLE_EXITING, on);
    }
}
