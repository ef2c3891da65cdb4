package org.vmxsim.kvmi.registers;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.SegmentRegister;
import org.vmxsim.kvmi.message.EventContext;
import org.vmxsim.kvmi.message.EventMsrs;
import org.vmxsim.kvmi.message.GeneralRegisters;
import org.vmxsim.kvmi.message.Segment;
import org.vmxsim.kvmi.message.SystemRegisters;
import org.vmxsim.mmu.Vcpu;

/** Copies registers between a vCPU and messages. */
public final class RegisterImages {
    private static final long LMA = 1 << 10;
    private static final int CODE_LONG = 1 << 13;
    private static final int CODE_DB = 1 << 14;

    private RegisterImages() {}

    /**
     * The state that an event tells.
     *
     * @param vcpu the vCPU
     * @return its registers as they are now
     */
    public static EventContext context(Vcpu vcpu) {
        CpuState state = vcpu.state();
        return new EventContext(
                vcpu.id(), modeBytes(state), vcpu.mmu().view(), general(state), system(state), msrs(state));
    }

    /**
     * Size of a code address. Source: RFC v4, patch 8, {@code kvmi_vcpu_mode}.
     *
     * @param state registers
     * @return 8 in 64-bit mode, else 4 if CS.D is set, else 2
     */
    public static int modeBytes(CpuState state) {
        int rights = state.segments[CpuState.CS].accessRights;
        if ((state.efer & LMA) != 0 && (rights & CODE_LONG) != 0) {
            return 8;
        }
        return (rights & CODE_DB) != 0 ? 4 : 2;
    }

    /**
     * The general registers.
     *
     * @param state registers
     * @return those that {@code struct kvm_regs} has
     */
    public static GeneralRegisters general(CpuState state) {
        long[] gpr = state.gpr;
        return new GeneralRegisters(
                gpr[CpuState.RAX],
                gpr[CpuState.RBX],
                gpr[CpuState.RCX],
                gpr[CpuState.RDX],
                gpr[CpuState.RSI],
                gpr[CpuState.RDI],
                gpr[CpuState.RSP],
                gpr[CpuState.RBP],
                gpr[8],
                gpr[9],
                gpr[10],
                gpr[11],
                gpr[12],
                gpr[13],
                gpr[14],
                gpr[15],
                state.rip,
                state.rflags());
    }

    /**
     * Sets the general registers of a vCPU; RFLAGS keeps its bit 1.
     *
     * @param vcpu the vCPU
     * @param registers their values
     */
    public static void load(Vcpu vcpu, GeneralRegisters registers) {
        CpuState state = vcpu.state();
        long[] gpr = state.gpr;
        gpr[CpuState.RAX] = registers.rax();
        gpr[CpuState.RBX] = registers.rbx();
        gpr[CpuState.RCX] = registers.rcx();
        gpr[CpuState.RDX] = registers.rdx();
        gpr[CpuState.RSI] = registers.rsi();
        gpr[CpuState.RDI] = registers.rdi();
        gpr[CpuState.RSP] = registers.rsp();
        gpr[CpuState.RBP] = registers.rbp();
        gpr[8] = registers.r8();
        gpr[9] = registers.r9();
        gpr[10] = registers.r10();
        gpr[11] = registers.r11();
        gpr[12] = registers.r12();
        gpr[13] = registers.r13();
        gpr[14] = registers.r14();
        gpr[15] = registers.r15();
        state.rip = registers.rip();
        state.rflags(registers.rflags());
        vcpu.setState(state);
    }

    /**
     * The system registers.
     *
     * @param state registers
     * @return those that {@code struct kvm_sregs} has
     */
    public static SystemRegisters system(CpuState state) {
        SegmentRegister[] segments = state.segments;
        return new SystemRegisters(
                segment(segments[CpuState.CS]),
                segment(segments[CpuState.DS]),
                segment(segments[CpuState.ES]),
                segment(segments[CpuState.FS]),
                segment(segments[CpuState.GS]),
                segment(segments[CpuState.SS]),
                segment(segments[CpuState.TR]),
                segment(segments[CpuState.LDTR]),
                new SystemRegisters.DescriptorTable(state.gdtrBase, state.gdtrLimit),
                new SystemRegisters.DescriptorTable(state.idtrBase, state.idtrLimit),
                state.cr0,
                state.cr2,
                state.cr3,
                state.cr4,
                state.cr8,
                state.efer,
                state.apicBase,
                SystemRegisters.NO_INTERRUPT);
    }

    /** SDM table "Format of Access Rights" has the bits of the VMCS; {@code struct kvm_segment} has them apart. */
    private static Segment segment(SegmentRegister register) {
        int rights = register.accessRights;
        return new Segment(
                register.base,
                register.limit,
                register.selector,
                rights & 0xf,
                (rights >>> 7 & 1) != 0,
                register.dpl(),
                (rights >>> 14 & 1) != 0,
                (rights >>> 4 & 1) != 0,
                (rights >>> 13 & 1) != 0,
                (rights >>> 15 & 1) != 0,
                (rights >>> 12 & 1) != 0,
                register.unusable());
    }

    private static EventMsrs msrs(CpuState state) {
        return new EventMsrs(
                state.sysenterCs,
                state.sysenterEsp,
                state.sysenterEip,
                state.efer,
                state.star,
                state.lstar,
                state.cstar,
                state.pat,
                state.kernelGsBase);
    }
}
