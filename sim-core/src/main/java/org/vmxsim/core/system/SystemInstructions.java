package org.vmxsim.core.system;

import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.decode.OperandKind;

/**
 * Handlers of the instructions of group {@code InstructionGroup.SYSTEM}, of MOV to and from segment, control and debug
 * registers, and of PUSH and POP of a segment register.
 */
public final class SystemInstructions {
    private SystemInstructions() {}

    /**
     * The handler of a system instruction.
     *
     * @param instruction the decoded instruction; the handler copies what it needs
     * @return the handler, not yet placed, or null if the instruction is undefined on this machine
     */
    public static Handler handler(DecodedInstruction instruction) {
        Handler found = moves(instruction);
        if (found == null) {
            found = segmentation(instruction);
        }
        if (found == null) {
            found = transfers(instruction);
        }
        if (found == null) {
            found = identification(instruction);
        }
        return found == null ? control(instruction) : found;
    }

    private static Handler moves(DecodedInstruction instruction) {
        OperandKind first = instruction.first().kind;
        OperandKind second = instruction.second().kind;
        return switch (instruction.op) {
            case MOV -> move(instruction, first, second);
            case PUSH -> first == OperandKind.SEGMENT ? new SegmentMoves.Push(instruction) : null;
            case POP -> first == OperandKind.SEGMENT ? new SegmentMoves.Pop(instruction) : null;
            case LDS, LES, LFS, LGS, LSS -> new SegmentMoves.LoadFarPointer(instruction);
            case CLTS -> new ControlMoves.Clts(instruction);
            case LMSW -> new ControlMoves.Lmsw(instruction);
            case SMSW -> new ControlMoves.Smsw(instruction);
            case RDPKRU, WRPKRU -> new ControlMoves.ProtectionKeyRights(instruction);
            default -> null;
        };
    }

    private static Handler move(DecodedInstruction instruction, OperandKind first, OperandKind second) {
        if (first == OperandKind.SEGMENT) {
            return new SegmentMoves.Load(instruction);
        }
        if (second == OperandKind.SEGMENT) {
            return new SegmentMoves.Store(instruction);
        }
        if (first == OperandKind.CONTROL) {
            return new ControlMoves.To(instruction);
        }
        if (second == OperandKind.CONTROL) {
            return new ControlMoves.From(instruction);
        }
        return first == OperandKind.DEBUG || second == OperandKind.DEBUG ? new ControlMoves.Debug(instruction) : null;
    }

    private static Handler segmentation(DecodedInstruction instruction) {
        return switch (instruction.op) {
            case LGDT, LIDT -> new DescriptorTables.LoadTable(instruction);
            case SGDT, SIDT -> new DescriptorTables.StoreTable(instruction);
            case LLDT, LTR -> new DescriptorTables.LoadSystemSegment(instruction);
            case SLDT, STR -> new DescriptorTables.StoreSystemSegment(instruction);
            case LAR, LSL, VERR, VERW -> new SegmentQueries.Query(instruction);
            case ARPL -> new SegmentQueries.AdjustRpl(instruction);
            default -> null;
        };
    }

    private static Handler transfers(DecodedInstruction instruction) {
        return switch (instruction.op) {
            case JMPF, CALLF -> new FarControl.Transfer(instruction);
            case RETF -> new FarControl.Return(instruction);
            case IRET -> new FarControl.InterruptReturn(instruction);
            case INT, INT1, INT3, INTO -> new FarControl.SoftwareInterrupt(instruction);
            case SYSCALL -> new FastCalls.SysCall(instruction);
            case SYSRET -> new FastCalls.SysRet(instruction);
            case SYSENTER -> new FastCalls.SysEnter(instruction);
            case SYSEXIT -> new FastCalls.SysExit(instruction);
            case SWAPGS -> new FastCalls.SwapGs(instruction);
            case RDFSBASE, RDGSBASE, WRFSBASE, WRGSBASE -> new FastCalls.SegmentBase(instruction);
            case STAC, CLAC -> new FastCalls.AccessCheck(instruction);
            default -> null;
        };
    }

    private static Handler identification(DecodedInstruction instruction) {
        return switch (instruction.op) {
            case CPUID -> new Identification.CpuId(instruction);
            case RDMSR -> new Identification.ReadMsr(instruction);
            case WRMSR -> new Identification.WriteMsr(instruction);
            case RDTSC, RDTSCP -> new Identification.ReadTimeStamp(instruction);
            case RDPID -> new Identification.ReadProcessorId(instruction);
            case RDPMC -> new Identification.ReadPerformanceCounter(instruction);
            case RDRAND, RDSEED -> new Identification.RandomNumber(instruction);
            case XGETBV, XSETBV -> new Identification.ExtendedControl(instruction);
            default -> null;
        };
    }

    private static Handler control(DecodedInstruction instruction) {
        return switch (instruction.op) {
            case IN, OUT -> new PortInstructions.Direct(instruction);
            case INS, OUTS -> new PortInstructions.Text(instruction);
            case HLT -> new ProcessorControl.Halt(instruction);
            case PAUSE -> new ProcessorControl.Pause(instruction);
            case MONITOR, UMONITOR -> new ProcessorControl.Monitor(instruction);
            case MWAIT -> new ProcessorControl.Mwait(instruction);
            case UMWAIT, TPAUSE -> new ProcessorControl.Timed(instruction);
            case INVD, WBINVD, WBNOINVD -> new ProcessorControl.CacheInvalidation(instruction);
            case INVLPG -> new ProcessorControl.InvalidatePage(instruction);
            case INVPCID -> new ProcessorControl.InvalidateContext(instruction);
            case VMXON,
                    VMXOFF,
                    VMCLEAR,
                    VMPTRLD,
                    VMPTRST,
                    VMREAD,
                    VMWRITE,
                    VMLAUNCH,
                    VMRESUME,
                    VMCALL,
                    VMFUNC,
                    INVEPT,
                    INVVPID -> new VmxForwarding(instruction);
            default -> null;
        };
    }
}
