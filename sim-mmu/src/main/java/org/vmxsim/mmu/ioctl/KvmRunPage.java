package org.vmxsim.mmu.ioctl;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.vmxsim.mmu.Vcpu;
import org.vmxsim.mmu.VcpuExit;
import org.vmxsim.mmu.abi.Errno;
import org.vmxsim.mmu.abi.KvmResult;

/**
 * The pages that KVM_RUN shares with its caller: {@code struct kvm_run} of linux/kvm.h, and behind it the page with the
 * data of port accesses. Fields that the postings add are in the union where the postings put them: {@code spp.addr} of
 * 8 bytes, and from v8 on {@code spp.insn_len} of 1 byte.
 *
 * <p>Offsets in bytes, little-endian: exit_reason 8; the union begins at 32. Fields of the union:
 *
 * <ul>
 *   <li>KVM_EXIT_UNKNOWN: hardware_exit_reason 32; KVM_EXIT_FAIL_ENTRY: hardware_entry_failure_reason 32, cpu 40
 *   <li>KVM_EXIT_IO: direction 32, size 33, port 34, count 36, data_offset 40
 *   <li>KVM_EXIT_DEBUG: exception 32, pc 40 (dr6 and dr7 stay 0)
 *   <li>KVM_EXIT_MMIO: phys_addr 32, data 40, len 48, is_write 52
 *   <li>KVM_EXIT_HYPERCALL: nr 32, args 40, ret 88, longmode 96
 *   <li>KVM_EXIT_INTERNAL_ERROR: suberror 32, ndata 36 (always 0)
 *   <li>KVM_EXIT_SYSTEM_EVENT: type 32 (always KVM_SYSTEM_EVENT_SHUTDOWN), ndata 36, data 40
 *   <li>KVM_EXIT_SPP: addr 32, insn_len 40
 *   <li>KVM_EXIT_MEMORY_FAULT: flags 32, gpa 40, size 48
 * </ul>
 */
public final class KvmRunPage {
    /** Size of both pages. */
    public static final int SIZE_BYTES = 8192;

    private static final int EXIT_REASON = 8;
    private static final int UNION = 32;
    private static final int IO_DATA = 4096;
    private static final int MMIO_DATA = UNION + 8;
    private static final int HYPERCALL_RET = UNION + 56;
    private static final int SYSTEM_EVENT_SHUTDOWN = 1;
    private static final int SPP_WITH_LENGTH = 29;
    private static final int EPT_VIOLATION = 48;

    private final ByteBuffer page = ByteBuffer.allocate(SIZE_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    /** The exit that waits for a value which the caller puts into the page. */
    private VcpuExit asked;

    /** Pages of zeros. */
    public KvmRunPage() {}

    /**
     * The bytes, shared: where the caller reads why KVM_RUN came back, and puts data that was asked for.
     *
     * @return both pages, little-endian
     */
    public ByteBuffer bytes() {
        return page;
    }

    /**
     * KVM_RUN. Data for a read that the last exit asked for is taken from where the layout has it.
     *
     * @param vcpu the vCPU that these pages belong to
     * @param maxInstructions as in {@link Vcpu#run}; what is left of the budget is the signal that ends the call
     * @return 0 if the page says why; EINTR, with KVM_EXIT_INTR in the page; EFAULT, with KVM_EXIT_MEMORY_FAULT in the
     *     page or without anything new in it; ENOMEM with nothing new; or the crash that ended the virtual machine
     */
    public KvmResult run(Vcpu vcpu, long maxInstructions) {
        if (vcpu.vm().oops() == null && asked != null) {
            vcpu.answer(answer());
        }
        asked = null;
        return write(vcpu.run(maxInstructions), vcpu.id());
    }

    private long answer() {
        if (asked instanceof VcpuExit.Io) {
            return page.getInt(IO_DATA) & 0xffff_ffffL;
        }
        return page.getLong(asked instanceof VcpuExit.Mmio ? MMIO_DATA : HYPERCALL_RET);
    }

    private KvmResult write(VcpuExit exit, int cpu) {
        if (exit instanceof VcpuExit.Oops crash) {
            return KvmResult.crashed(crash.oops());
        }
        if (exit instanceof VcpuExit.Failed failed) {
            return KvmResult.failed(failed.errno());
        }
        if (exit instanceof VcpuExit.InternalError error && error.suberror() == VcpuExit.Suberror.NO_MEMORY) {
            return KvmResult.failed(Errno.ENOMEM);
        }
        page.putInt(EXIT_REASON, exit.number());
        writeDevice(exit);
        writeEnd(exit, cpu);
        if (exit instanceof VcpuExit.Intr) {
            return KvmResult.failed(Errno.EINTR);
        }
        return exit instanceof VcpuExit.MemoryFault ? KvmResult.failed(Errno.EFAULT) : KvmResult.OK;
    }

    /** Exits that the caller answers or acts upon; KVM_EXIT_HLT, KVM_EXIT_SHUTDOWN and KVM_EXIT_INTR have no fields. */
    private void writeDevice(VcpuExit exit) {
        if (exit instanceof VcpuExit.Io io) {
            page.put(UNION, (byte) (io.out() ? 1 : 0)).put(UNION + 1, (byte) io.sizeBytes());
            page.putShort(UNION + 2, (short) io.port()).putInt(UNION + 4, 1).putLong(UNION + 8, IO_DATA);
            page.putInt(IO_DATA, io.data());
            asked = io.out() ? null : io;
        } else if (exit instanceof VcpuExit.Mmio mmio) {
            page.putLong(UNION, mmio.gpa()).putLong(MMIO_DATA, mmio.data());
            page.putInt(UNION + 16, mmio.sizeBytes()).put(UNION + 20, (byte) (mmio.write() ? 1 : 0));
            asked = mmio.write() ? null : mmio;
        } else if (exit instanceof VcpuExit.Hypercall call) {
            page.putLong(UNION, call.nr()).putLong(UNION + 8, call.arg0()).putLong(UNION + 16, call.arg1());
            page.putLong(UNION + 24, call.arg2()).putLong(UNION + 32, call.arg3());
            page.putInt(UNION + 64, call.longMode() ? 1 : 0);
            asked = call;
        } else if (exit instanceof VcpuExit.Spp spp) {
            page.putLong(UNION, spp.gpa());
            if (spp.number() == SPP_WITH_LENGTH) {
                page.put(UNION + 8, (byte) spp.insnLength());
            }
        }
    }

    private void writeEnd(VcpuExit exit, int cpu) {
        if (exit instanceof VcpuExit.Debug debug) {
            page.putInt(UNION, debug.exception()).putLong(UNION + 8, debug.pc());
        } else if (exit instanceof VcpuExit.FailEntry fail) {
            page.putLong(UNION, fail.hardwareReason() & 0xffff_ffffL).putInt(UNION + 8, cpu);
        } else if (exit instanceof VcpuExit.InternalError error) {
            page.putInt(UNION, suberror(error.suberror())).putInt(UNION + 4, 0);
        } else if (exit instanceof VcpuExit.SystemEvent event) {
            page.putInt(UNION, SYSTEM_EVENT_SHUTDOWN).putInt(UNION + 4, 1).putLong(UNION + 8, event.data());
        } else if (exit instanceof VcpuExit.Unknown unknown) {
            page.putLong(UNION, unknown.hardwareReason());
        } else if (exit instanceof VcpuExit.Restricted) {
            // What views tell goes another way in the series that has them; here the hardware's reason must do.
            page.putLong(UNION, EPT_VIOLATION);
        } else if (exit instanceof VcpuExit.MemoryFault fault) {
            page.putLong(UNION, 0).putLong(UNION + 8, fault.gpa()).putLong(UNION + 16, fault.sizeBytes());
        }
    }

    private static int suberror(VcpuExit.Suberror suberror) {
        return switch (suberror) {
            case EMULATION -> 1;
            case DELIVERY_EVENT -> 3;
            case UNEXPECTED_EXIT_REASON -> 4;
            case NO_MEMORY -> throw new AssertionError("running out of memory is no internal error of KVM");
        };
    }
}
