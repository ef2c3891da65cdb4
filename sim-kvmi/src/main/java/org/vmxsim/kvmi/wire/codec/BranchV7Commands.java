package org.vmxsim.kvmi.wire.codec;

import java.util.ArrayList;
import java.util.List;
import org.vmxsim.kvmi.message.Command;
import org.vmxsim.kvmi.message.CommandKind;
import org.vmxsim.kvmi.message.EventKind;
import org.vmxsim.kvmi.message.KvmiError;
import org.vmxsim.kvmi.message.VcpuCommand;
import org.vmxsim.kvmi.message.VmCommand;
import org.vmxsim.mmu.guest.EventQueue;

/**
 * The structures of the commands of the branch kvmi-v7, after the vCPU header where they have one. Source: the header
 * {@code kvmi.h} of the branch and of libkvmi.
 */
final class BranchV7Commands {
    /** Numbers of commands are below this. */
    static final int MOST_IDS = 64;

    private BranchV7Commands() {}

    /** Commands without a vCPU header. */
    static CommandTable ofVm() {
        return new CommandTable(MOST_IDS)
                .fixed(2, CommandKind.GET_VERSION, 0, (v, p) -> new VmCommand.GetVersion())
                .fixed(3, CommandKind.CHECK_COMMAND, 8, (v, p) -> checkCommand(p))
                .fixed(4, CommandKind.CHECK_EVENT, 8, (v, p) -> checkEvent(p))
                .fixed(5, CommandKind.GET_GUEST_INFO, 0, (v, p) -> new VmCommand.GetGuestInfo())
                .fixed(8, CommandKind.CONTROL_VM_EVENTS, 8, (v, p) -> controlVmEvents(p))
                .fixed(17, CommandKind.READ_PHYSICAL, 16, (v, p) -> new VmCommand.ReadPhysical(p.u64(0), p.u64(8)))
                .variable(18, CommandKind.WRITE_PHYSICAL, 16, (v, p) -> writePhysical(p))
                .variable(21, CommandKind.SET_PAGE_ACCESS, 8, (v, p) -> setPageAccess(p))
                .fixed(22, CommandKind.GET_MAP_TOKEN, 0, (v, p) -> new VmCommand.GetMapToken())
                .fixed(24, CommandKind.CONTROL_SPP, 8, (v, p) -> new VmCommand.ControlSpp(flag(p)))
                .variable(26, CommandKind.SET_PAGE_WRITE_BITMAP, 8, (v, p) -> setPageWriteBitmap(p))
                .fixed(27, CommandKind.CONTROL_CMD_RESPONSE, 8, (v, p) -> controlCmdResponse(p))
                .fixed(29, CommandKind.GET_MAX_GFN, 0, (v, p) -> new VmCommand.GetMaxGfn())
                .fixed(30, CommandKind.SET_PAGE_SVE, 16, (v, p) -> setPageSve(p))
                .fixed(31, CommandKind.GET_NEXT_AVAILABLE_GFN, 0, (v, p) -> new VmCommand.GetNextAvailableGfn())
                .fixed(39, CommandKind.QUERY_PHYSICAL, 8, (v, p) -> new VmCommand.QueryPhysical(p.u64(0)))
                .fixed(43, CommandKind.CREATE_EPT_VIEW, 0, (v, p) -> new VmCommand.CreateEptView())
                .fixed(44, CommandKind.DESTROY_EPT_VIEW, 8, (v, p) -> new VmCommand.DestroyEptView(view(p)));
    }

    /** Commands with a vCPU header. */
    static CommandTable ofVcpu() {
        return new CommandTable(MOST_IDS)
                .fixed(6, CommandKind.GET_VCPU_INFO, 0, (v, p) -> new VcpuCommand.GetVcpuInfo(v))
                .fixed(7, CommandKind.PAUSE_VCPU, 8, BranchV7Commands::pauseVcpu)
                .fixed(9, CommandKind.CONTROL_EVENTS, 8, BranchV7Commands::controlEvents)
                .fixed(10, CommandKind.CONTROL_CR, 8, BranchV7Commands::controlCr)
                .fixed(11, CommandKind.CONTROL_MSR, 8, BranchV7Commands::controlMsr)
                .variable(13, CommandKind.GET_REGISTERS, 8, BranchV7Commands::getRegisters)
                .fixed(14, CommandKind.SET_REGISTERS, RegisterLayout.GENERAL_BYTES, BranchV7Commands::setRegisters)
                .fixed(15, CommandKind.GET_CPUID, 8, (v, p) -> new VcpuCommand.GetCpuid(v, p.u32(0), p.u32(4)))
                .fixed(16, CommandKind.GET_XSAVE, 0, (v, p) -> new VcpuCommand.GetXsave(v))
                .fixed(19, CommandKind.INJECT_EXCEPTION, 16, BranchV7Commands::injectException)
                .fixed(23, CommandKind.GET_MTRR_TYPE, 8, (v, p) -> new VcpuCommand.GetMtrrType(v, p.u64(0)))
                .fixed(28, CommandKind.SET_VE_INFO, 16, BranchV7Commands::setVeInfo)
                .fixed(32, CommandKind.SWITCH_EPT_VIEW, 8, (v, p) -> new VcpuCommand.SwitchEptView(v, view(p)))
                .fixed(33, CommandKind.DISABLE_VE, 0, (v, p) -> new VcpuCommand.DisableVe(v))
                .fixed(34, CommandKind.GET_EPT_VIEW, 0, (v, p) -> new VcpuCommand.GetEptView(v))
                .fixed(35, CommandKind.TRANSLATE_GVA, 8, (v, p) -> new VcpuCommand.TranslateGva(v, p.u64(0)))
                .fixed(36, CommandKind.CONTROL_EPT_VIEW, 8, BranchV7Commands::controlEptView)
                .fixed(37, CommandKind.GET_XCR, 8, BranchV7Commands::getXcr)
                .variable(38, CommandKind.SET_XSAVE, 0, (v, p) -> new VcpuCommand.SetXsave(v, p.bytes(0, p.size())))
                .fixed(41, CommandKind.ALLOC_GFN, 8, (v, p) -> new VcpuCommand.AllocGfn(v, p.u64(0)))
                .fixed(42, CommandKind.FREE_GFN, 8, (v, p) -> new VcpuCommand.FreeGfn(v, p.u64(0)))
                .variable(60, CommandKind.CHANGE_GFN, 16, BranchV7Commands::changeGfn)
                .fixed(63, CommandKind.CONTROL_SINGLESTEP, 8, (v, p) -> new VcpuCommand.ControlSinglestep(v, flag(p)));
    }

    /** The event with this number; EINVAL if there is none. */
    private static EventKind event(Payload p) {
        EventKind event = BranchV7Events.kindOf(p.u16(0));
        if (event == null) {
            p.refuse(KvmiError.EINVAL);
        }
        return event;
    }

    private static Command checkCommand(Payload p) {
        p.padding(2, 6);
        CommandKind kind = BranchV7Codec.commandOf(p.u16(0));
        if (kind == null) {
            p.refuse(KvmiError.EINVAL);
        }
        return new VmCommand.CheckCommand(kind);
    }

    private static Command checkEvent(Payload p) {
        p.padding(2, 6);
        return new VmCommand.CheckEvent(event(p));
    }

    private static Command controlVmEvents(Payload p) {
        p.padding(3, 5);
        return new VmCommand.ControlVmEvents(event(p), p.flag(2));
    }

    private static Command controlEvents(int vcpu, Payload p) {
        p.padding(3, 5);
        return new VcpuCommand.ControlEvents(vcpu, event(p), p.flag(2));
    }

    private static Command writePhysical(Payload p) {
        long size = p.u64(8);
        if (size != p.size() - 16) {
            p.breach("says " + Long.toUnsignedString(size) + " bytes and brings " + (p.size() - 16));
            return null;
        }
        return new VmCommand.WritePhysical(p.u64(0), p.bytes(16, (int) size));
    }

    /** The count of an array at 2; EINVAL unless the array is as long as that. */
    private static int count(Payload p, int countOffset, int entryBytes) {
        int count = p.u16(countOffset);
        if (p.size() != 8 + count * entryBytes) {
            p.refuse(KvmiError.EINVAL);
            return 0;
        }
        return count;
    }

    private static Command setPageAccess(Payload p) {
        p.padding(4, 4);
        int count = count(p, 2, 16);
        List<VmCommand.PageAccess> pages = new ArrayList<>(count);
        for (int at = 8; at < 8 + count * 16; at += 16) {
            p.padding(at + 9, 7);
            pages.add(new VmCommand.PageAccess(p.u64(at), p.u8(at + 8)));
        }
        return new VmCommand.SetPageAccess(p.u16(0), pages);
    }

    private static Command setPageWriteBitmap(Payload p) {
        p.padding(4, 4);
        int count = count(p, 2, 16);
        List<VmCommand.PageBitmap> pages = new ArrayList<>(count);
        for (int at = 8; at < 8 + count * 16; at += 16) {
            p.padding(at + 12, 4);
            pages.add(new VmCommand.PageBitmap(p.u64(at), p.u32(at + 8)));
        }
        return new VmCommand.SetPageWriteBitmap(p.u16(0), pages);
    }

    private static Command controlCmdResponse(Payload p) {
        // Only bit 0 of the flags is looked at, as in the kernel.
        p.padding(4, 4);
        return new VmCommand.ControlCmdResponse(p.flag(0), p.u8(1) == 1, (p.u16(2) & 1) != 0);
    }

    private static Command setPageSve(Payload p) {
        p.padding(3, 5);
        if (p.u8(2) > 1) {
            p.refuse(KvmiError.EINVAL);
        }
        return new VmCommand.SetPageSve(p.u16(0), p.u8(2) == 1, p.u64(8));
    }

    private static Command pauseVcpu(int vcpu, Payload p) {
        p.padding(1, 7);
        return new VcpuCommand.PauseVcpu(vcpu, p.u8(0) == 1);
    }

    private static Command controlCr(int vcpu, Payload p) {
        p.padding(1, 3);
        return new VcpuCommand.ControlCr(vcpu, p.u32(4), p.flag(0));
    }

    private static Command controlMsr(int vcpu, Payload p) {
        p.padding(1, 3);
        return new VcpuCommand.ControlMsr(vcpu, p.u32(4), p.flag(0));
    }

    private static Command getRegisters(int vcpu, Payload p) {
        p.padding(2, 6);
        int[] msrs = new int[count(p, 0, 4)];
        for (int i = 0; i < msrs.length; i++) {
            msrs[i] = p.u32(8 + 4 * i);
        }
        return new VcpuCommand.GetRegisters(vcpu, msrs);
    }

    private static Command setRegisters(int vcpu, Payload p) {
        return new VcpuCommand.SetRegisters(vcpu, RegisterLayout.general(p, 0));
    }

    private static Command injectException(int vcpu, Payload p) {
        p.padding(1, 3);
        int vector = p.u8(0);
        // The structure does not say whether there is an error code: the vector does.
        boolean hasErrorCode = EventQueue.pushesErrorCode(vector);
        return new VcpuCommand.InjectException(vcpu, vector, hasErrorCode, p.u32(4), p.u64(8));
    }

    private static Command setVeInfo(int vcpu, Payload p) {
        p.padding(9, 7);
        return new VcpuCommand.SetVeInfo(vcpu, p.u64(0), p.flag(8));
    }

    private static Command controlEptView(int vcpu, Payload p) {
        p.padding(3, 5);
        return new VcpuCommand.ControlEptView(vcpu, p.u16(0), p.flag(2));
    }

    private static Command getXcr(int vcpu, Payload p) {
        p.padding(1, 7);
        return new VcpuCommand.GetXcr(vcpu, p.u8(0));
    }

    /** libkvmi puts a view before the two frame numbers; the kernel's header has none, which means view 0. */
    private static Command changeGfn(int vcpu, Payload p) {
        if (p.size() == 16) {
            return new VcpuCommand.ChangeGfn(vcpu, 0, p.u64(0), p.u64(8));
        } else if (p.size() == 24) {
            p.padding(2, 6);
            return new VcpuCommand.ChangeGfn(vcpu, p.u16(0), p.u64(8), p.u64(16));
        }
        p.breach("of " + p.size() + " bytes");
        return null;
    }

    private static boolean flag(Payload p) {
        p.padding(1, 7);
        return p.flag(0);
    }

    private static int view(Payload p) {
        p.padding(2, 6);
        return p.u16(0);
    }
}
