package org.vmxsim.kvmi.wire.codec;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.vmxsim.kvmi.message.Command;
import org.vmxsim.kvmi.message.CommandKind;
import org.vmxsim.kvmi.message.EventKind;
import org.vmxsim.kvmi.message.KvmiError;
import org.vmxsim.kvmi.message.VcpuCommand;
import org.vmxsim.kvmi.message.VmCommand;

/**
 * The structures of the commands of the fourth posting. Those on a vCPU start with its number. Source: the headers
 * {@code kvmi.h} of "[RFC PATCH v4 01/18] kvm: add documentation and ABI/API headers for the VM introspection
 * subsystem".
 */
final class V4Commands {
    /** Numbers of commands are below this. */
    static final int MOST_IDS = 27;

    private static final int PAGE_BYTES = 4096;

    private final boolean badRangeCloses;
    private final boolean absentArrayAccepted;

    V4Commands(Set<V4Quirk> quirks) {
        badRangeCloses = quirks.contains(V4Quirk.BAD_RANGE_CLOSES);
        absentArrayAccepted = quirks.contains(V4Quirk.ABSENT_ARRAY_ACCEPTED);
    }

    CommandTable table() {
        return new CommandTable(MOST_IDS)
                .fixed(1, CommandKind.GET_VERSION, 0, (v, p) -> new VmCommand.GetVersion())
                .fixed(2, CommandKind.PAUSE_VCPU, 8, (v, p) -> new VcpuCommand.PauseVcpu(onlyVcpu(p), false))
                .fixed(3, CommandKind.GET_GUEST_INFO, 8, (v, p) -> getGuestInfo(p))
                .variable(6, CommandKind.GET_REGISTERS, 8, (v, p) -> getRegisters(p))
                .fixed(7, CommandKind.SET_REGISTERS, 8 + RegisterLayout.GENERAL_BYTES, (v, p) -> setRegisters(p))
                .variable(10, CommandKind.GET_PAGE_ACCESS, 8, (v, p) -> getPageAccess(p))
                .variable(11, CommandKind.SET_PAGE_ACCESS, 8, (v, p) -> setPageAccess(p))
                .fixed(12, CommandKind.INJECT_EXCEPTION, 16, (v, p) -> injectException(p))
                .fixed(13, CommandKind.READ_PHYSICAL, 16, (v, p) -> readPhysical(p))
                .variable(14, CommandKind.WRITE_PHYSICAL, 16, (v, p) -> writePhysical(p))
                .fixed(15, CommandKind.GET_MAP_TOKEN, 0, (v, p) -> new VmCommand.GetMapToken())
                .fixed(17, CommandKind.CONTROL_EVENTS, 8, (v, p) -> controlEvents(p))
                .fixed(18, CommandKind.CONTROL_CR, 8, (v, p) -> controlCr(p))
                .fixed(19, CommandKind.CONTROL_MSR, 8, (v, p) -> controlMsr(p))
                .fixed(25, CommandKind.GET_CPUID, 16, (v, p) -> getCpuid(p))
                .fixed(26, CommandKind.GET_XSAVE, 8, (v, p) -> new VcpuCommand.GetXsave(onlyVcpu(p)));
    }

    /** A vCPU number with padding up to 8 bytes. */
    private static int onlyVcpu(Payload p) {
        p.padding(2, 6);
        return p.u16(0);
    }

    private static Command getGuestInfo(Payload p) {
        if (onlyVcpu(p) != 0) {
            p.refuse(KvmiError.EINVAL);
        }
        return new VmCommand.GetGuestInfo();
    }

    /** The part with its array in full; the count is at 2. */
    private Payload withArray(Payload p, int entryBytes) {
        int size = 8 + p.u16(2) * entryBytes;
        if (p.size() == 8 && absentArrayAccepted) {
            return p.extendedTo(size);
        }
        if (p.size() != size) {
            p.breach("with a count of " + p.u16(2) + " and " + (p.size() - 8) + " bytes");
        }
        return p;
    }

    private Command getRegisters(Payload p) {
        p.padding(4, 4);
        Payload whole = withArray(p, Integer.BYTES);
        int[] msrs = new int[(whole.size() - 8) / Integer.BYTES];
        for (int i = 0; i < msrs.length; i++) {
            msrs[i] = whole.u32(8 + Integer.BYTES * i);
        }
        return new VcpuCommand.GetRegisters(p.u16(0), msrs);
    }

    private static Command setRegisters(Payload p) {
        return new VcpuCommand.SetRegisters(onlyVcpu(p), RegisterLayout.general(p, 8));
    }

    private Command getPageAccess(Payload p) {
        p.padding(6, 2);
        Payload whole = withArray(p, Long.BYTES);
        long[] gpas = new long[(whole.size() - 8) / Long.BYTES];
        for (int i = 0; i < gpas.length; i++) {
            gpas[i] = whole.u64(8 + Long.BYTES * i);
        }
        return new VmCommand.GetPageAccess(p.u16(0), p.u16(4), gpas);
    }

    private Command setPageAccess(Payload p) {
        p.padding(6, 2);
        Payload whole = withArray(p, 16);
        List<VmCommand.PageAccess> pages = new ArrayList<>();
        for (int at = 8; at + 16 <= whole.size(); at += 16) {
            whole.padding(at + 9, 7);
            pages.add(new VmCommand.PageAccess(whole.u64(at), whole.u8(at + 8)));
        }
        return new VmCommand.SetPageAccess(p.u16(0), p.u16(4), pages);
    }

    private static Command injectException(Payload p) {
        p.padding(6, 2);
        return new VcpuCommand.InjectException(p.u16(0), p.u8(2), p.flag(3), p.u16(4), p.u64(8));
    }

    private Command readPhysical(Payload p) {
        checkRange(p);
        return new VmCommand.ReadPhysical(p.u64(0), p.u64(8));
    }

    private Command writePhysical(Payload p) {
        checkRange(p);
        int brought = p.size() - 16;
        long size = p.u64(8);
        boolean absent = brought == 0 && absentArrayAccepted && size >= 0 && size <= PAGE_BYTES;
        if (size != brought && !absent) {
            p.breach("says " + Long.toUnsignedString(size) + " bytes and brings " + brought);
            return null;
        }
        return new VmCommand.WritePhysical(p.u64(0), absent ? new byte[(int) size] : p.bytes(16, brought));
    }

    private void checkRange(Payload p) {
        long size = p.u64(8);
        long room = PAGE_BYTES - (p.u64(0) & PAGE_BYTES - 1);
        if (badRangeCloses && (size == 0 || Long.compareUnsigned(size, room) > 0)) {
            p.breach("of " + Long.toUnsignedString(size) + " bytes at gpa 0x" + Long.toHexString(p.u64(0)));
        }
    }

    private static Command controlEvents(Payload p) {
        p.padding(2, 2);
        Set<EventKind> events = V4Events.kindsOf(p.u32(4));
        if (events == null) {
            p.refuse(KvmiError.EINVAL);
            return null;
        }
        return new VcpuCommand.SetEventMask(p.u16(0), events);
    }

    private static Command controlCr(Payload p) {
        p.padding(3, 1);
        return new VcpuCommand.ControlCr(p.u16(0), p.u32(4), p.flag(2));
    }

    private static Command controlMsr(Payload p) {
        p.padding(3, 1);
        return new VcpuCommand.ControlMsr(p.u16(0), p.u32(4), p.flag(2));
    }

    private static Command getCpuid(Payload p) {
        return new VcpuCommand.GetCpuid(onlyVcpu(p), p.u32(8), p.u32(12));
    }
}
