package org.vmxsim.kvmi.wire.codec;

import static org.vmxsim.kvmi.wire.Bytes.of;
import static org.vmxsim.kvmi.wire.Bytes.vcpu;

import java.util.List;
import java.util.Random;
import org.vmxsim.kvmi.message.Action;
import org.vmxsim.kvmi.message.CommandKind;
import org.vmxsim.kvmi.message.Event;
import org.vmxsim.kvmi.message.Event.DescriptorTableRegister;
import org.vmxsim.kvmi.message.EventContext;
import org.vmxsim.kvmi.message.EventKind;
import org.vmxsim.kvmi.message.EventReply;
import org.vmxsim.kvmi.message.GeneralRegisters;
import org.vmxsim.kvmi.message.KvmiError;
import org.vmxsim.kvmi.message.VcpuCommand;
import org.vmxsim.kvmi.message.VmCommand;
import org.vmxsim.kvmi.wire.Bytes;

/** The branch kvmi-v7, typed a second time from the tables of its structures. */
final class BranchV7Samples {
    static final List<Integer> COMMANDS = List.of(
            2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16, 17, 18, 19, 21, 22, 23, 24, 26, 27, 28, 29, 30, 31, 32, 33,
            34, 35, 36, 37, 38, 39, 41, 42, 43, 44, 60, 63);

    private static final List<EventKind> EVENTS = List.of(
            EventKind.UNHOOK,
            EventKind.CR,
            EventKind.MSR,
            EventKind.XSETBV,
            EventKind.BREAKPOINT,
            EventKind.HYPERCALL,
            EventKind.PAGE_FAULT,
            EventKind.TRAP,
            EventKind.DESCRIPTOR,
            EventKind.CREATE_VCPU,
            EventKind.PAUSE_VCPU,
            EventKind.SINGLESTEP,
            EventKind.CMD_ERROR,
            EventKind.CPUID);

    private BranchV7Samples() {}

    /** A command without a vCPU header, or null. */
    private static Sample ofVm(int id, Random r) {
        long q = r.nextLong();
        long q2 = r.nextLong();
        int w = r.nextInt(65536);
        boolean b = r.nextBoolean();
        int bit = b ? 1 : 0;
        boolean b2 = r.nextBoolean();
        int bit2 = b2 ? 1 : 0;
        int e = r.nextInt(14);
        byte[] some = Sample.bytes(r, 100);
        return switch (id) {
            case 2 -> new Sample(id, of(), new VmCommand.GetVersion());
            case 3 -> new Sample(id, of().u16(63).pad(6), new VmCommand.CheckCommand(CommandKind.CONTROL_SINGLESTEP));
            case 4 -> new Sample(id, of().u16(e).pad(6), new VmCommand.CheckEvent(EVENTS.get(e)));
            case 5 -> new Sample(id, of(), new VmCommand.GetGuestInfo());
            case 8 -> new Sample(id, of().u16(e).u8(bit).pad(5), new VmCommand.ControlVmEvents(EVENTS.get(e), b));
            case 17 -> new Sample(id, of().u64(q).u64(q2), new VmCommand.ReadPhysical(q, q2));
            case 18 -> new Sample(id, of().u64(q).u64(some.length).raw(some), new VmCommand.WritePhysical(q, some));
            case 21 -> setPageAccess(w, r);
            case 22 -> new Sample(id, of(), new VmCommand.GetMapToken());
            case 24 -> new Sample(id, of().u8(bit).pad(7), new VmCommand.ControlSpp(b));
            case 26 -> setPageWriteBitmap(w, r);
            case 27 ->
                new Sample(id, of().u8(bit).u8(bit2).u16(bit).pad(4), new VmCommand.ControlCmdResponse(b, b2, b));
            case 29 -> new Sample(id, of(), new VmCommand.GetMaxGfn());
            case 30 -> new Sample(id, of().u16(w).u8(bit).pad(5).u64(q), new VmCommand.SetPageSve(w, b, q));
            case 31 -> new Sample(id, of(), new VmCommand.GetNextAvailableGfn());
            case 39 -> new Sample(id, of().u64(q), new VmCommand.QueryPhysical(q));
            case 43 -> new Sample(id, of(), new VmCommand.CreateEptView());
            case 44 -> new Sample(id, of().u16(w).pad(6), new VmCommand.DestroyEptView(w));
            default -> null;
        };
    }

    private static Sample setPageAccess(int view, Random r) {
        List<VmCommand.PageAccess> pages = Sample.some(r, () -> new VmCommand.PageAccess(r.nextLong(), r.nextInt(256)));
        Bytes bytes = of().u16(view).u16(pages.size()).pad(4);
        pages.forEach(page -> bytes.u64(page.gpa()).u8(page.access()).pad(7));
        return new Sample(21, bytes, new VmCommand.SetPageAccess(view, pages));
    }

    private static Sample setPageWriteBitmap(int view, Random r) {
        List<VmCommand.PageBitmap> pages = Sample.some(r, () -> new VmCommand.PageBitmap(r.nextLong(), r.nextInt()));
        Bytes bytes = of().u16(view).u16(pages.size()).pad(4);
        pages.forEach(page -> bytes.u64(page.gpa()).u32(page.bitmap()).pad(4));
        return new Sample(26, bytes, new VmCommand.SetPageWriteBitmap(view, pages));
    }

    /** A random command with a number. */
    static Sample command(int id, Random r) {
        Sample ofVm = ofVm(id, r);
        if (ofVm != null) {
            return ofVm;
        }
        int v = r.nextInt(65536);
        long q = r.nextLong();
        long q2 = r.nextLong();
        int d = r.nextInt();
        int d2 = r.nextInt();
        int w = r.nextInt(65536);
        boolean b = r.nextBoolean();
        int bit = b ? 1 : 0;
        int e = r.nextInt(14);
        int vector = r.nextInt(40);
        boolean code = List.of(8, 10, 11, 12, 13, 14, 17).contains(vector);
        byte[] some = Sample.bytes(r, 4096);
        GeneralRegisters regs = Sample.general(r);
        return switch (id) {
            case 6 -> new Sample(id, vcpu(v), new VcpuCommand.GetVcpuInfo(v));
            case 7 -> new Sample(id, vcpu(v).u8(bit).pad(7), new VcpuCommand.PauseVcpu(v, b));
            case 9 -> new Sample(id, vcpu(v).u16(e).u8(bit).pad(5), new VcpuCommand.ControlEvents(v, EVENTS.get(e), b));
            case 10 -> new Sample(id, vcpu(v).u8(bit).pad(3).u32(d), new VcpuCommand.ControlCr(v, d, b));
            case 11 -> new Sample(id, vcpu(v).u8(bit).pad(3).u32(d), new VcpuCommand.ControlMsr(v, d, b));
            case 13 -> getRegisters(v, r);
            case 14 -> new Sample(id, Sample.put(vcpu(v), regs), new VcpuCommand.SetRegisters(v, regs));
            case 15 -> new Sample(id, vcpu(v).u32(d).u32(d2), new VcpuCommand.GetCpuid(v, d, d2));
            case 16 -> new Sample(id, vcpu(v), new VcpuCommand.GetXsave(v));
            case 19 ->
                new Sample(
                        id,
                        vcpu(v).u8(vector).pad(3).u32(d).u64(q),
                        new VcpuCommand.InjectException(v, vector, code, d, q));
            case 23 -> new Sample(id, vcpu(v).u64(q), new VcpuCommand.GetMtrrType(v, q));
            case 28 -> new Sample(id, vcpu(v).u64(q).u8(bit).pad(7), new VcpuCommand.SetVeInfo(v, q, b));
            case 32 -> new Sample(id, vcpu(v).u16(w).pad(6), new VcpuCommand.SwitchEptView(v, w));
            case 33 -> new Sample(id, vcpu(v), new VcpuCommand.DisableVe(v));
            case 34 -> new Sample(id, vcpu(v), new VcpuCommand.GetEptView(v));
            case 35 -> new Sample(id, vcpu(v).u64(q), new VcpuCommand.TranslateGva(v, q));
            case 36 -> new Sample(id, vcpu(v).u16(w).u8(bit).pad(5), new VcpuCommand.ControlEptView(v, w, b));
            case 37 -> new Sample(id, vcpu(v).u8(w & 255).pad(7), new VcpuCommand.GetXcr(v, w & 255));
            case 38 -> new Sample(id, vcpu(v).raw(some), new VcpuCommand.SetXsave(v, some));
            case 41 -> new Sample(id, vcpu(v).u64(q), new VcpuCommand.AllocGfn(v, q));
            case 42 -> new Sample(id, vcpu(v).u64(q), new VcpuCommand.FreeGfn(v, q));
            case 60 ->
                b
                        ? new Sample(id, vcpu(v).u64(q).u64(q2), new VcpuCommand.ChangeGfn(v, 0, q, q2))
                        : new Sample(id, vcpu(v).u16(w).pad(6).u64(q).u64(q2), new VcpuCommand.ChangeGfn(v, w, q, q2));
            case 63 -> new Sample(id, vcpu(v).u8(bit).pad(7), new VcpuCommand.ControlSinglestep(v, b));
            default -> throw new AssertionError(id);
        };
    }

    private static Sample getRegisters(int v, Random r) {
        int[] msrs = r.ints(r.nextInt(50)).toArray();
        Bytes bytes = vcpu(v).u16(msrs.length).pad(6);
        for (int msr : msrs) {
            bytes.u32(msr);
        }
        return new Sample(13, bytes, new VcpuCommand.GetRegisters(v, msrs));
    }

    /** A random event with a number: 544 bytes, then what the kind has. */
    static Sample event(int number, Random r) {
        EventContext c = new EventContext(
                r.nextInt(65536), 8, r.nextInt(65536), Sample.general(r), Sample.system(r), Sample.msrs(r));
        long q = r.nextLong();
        long q2 = r.nextLong();
        int d = r.nextInt();
        int d2 = r.nextInt();
        int u8 = r.nextInt(256);
        int w = r.nextInt(65536);
        boolean b = r.nextBoolean();
        int bit = b ? 1 : 0;
        EventContext none = EventContext.NONE;
        return switch (number) {
            case 0 -> new Sample(1, common(0, none), new Event.Unhook());
            case 1 -> new Sample(1, common(1, c).u16(3).zeros(6).u64(q).u64(q2), new Event.Cr(c, 3, q, q2));
            case 2 -> new Sample(1, common(2, c).u32(d).zeros(4).u64(q).u64(q2), new Event.Msr(c, d, q, q2));
            case 3 -> new Sample(1, common(3, c), new Event.Xsetbv(c));
            case 4 -> new Sample(1, common(4, c).u64(q).u8(u8).zeros(7), new Event.Breakpoint(c, q, u8));
            case 5 -> new Sample(1, common(5, c), new Event.Hypercall(c));
            case 6 ->
                new Sample(
                        1, common(6, c).u64(q).u64(q2).u8(4).u8(0).u16(w).u32(0), new Event.PageFault(c, q, q2, 4, w));
            case 7 -> new Sample(1, common(7, c).u8(u8).zeros(3).u32(d).u64(q), new Event.Trap(c, u8, d2, d, q));
            case 8 ->
                new Sample(
                        1,
                        common(8, c).u8(2).u8(bit).zeros(6),
                        new Event.Descriptor(c, DescriptorTableRegister.GDTR, b, d, q));
            case 9 -> new Sample(1, common(9, c), new Event.CreateVcpu(c));
            case 10 -> new Sample(1, common(10, c), new Event.Pause(c));
            case 11 -> new Sample(1, common(11, c).u8(bit).zeros(7), new Event.Singlestep(c, b));
            case 12 ->
                new Sample(
                        1,
                        common(12, none).u32(-22).u32(d).u16(21).zeros(6),
                        new Event.CmdError(KvmiError.EINVAL, d, CommandKind.SET_PAGE_ACCESS));
            case 13 -> new Sample(1, common(13, c).u32(d).u32(d2).u8(u8).zeros(7), new Event.Cpuid(c, d, d2, u8));
            default -> throw new AssertionError(number);
        };
    }

    private static Bytes common(int number, EventContext c) {
        Bytes to = of().u16(544).u16(c.vcpu()).u8(number).zeros(3);
        to.u8(c.modeBytes()).zeros(1).u16(c.view()).zeros(4);
        Sample.put(to, c.general());
        Sample.put(to, c.system());
        to.u64(c.msrs().sysenterCs()).u64(c.msrs().sysenterEsp()).u64(c.msrs().sysenterEip());
        to.u64(c.msrs().efer())
                .u64(c.msrs().star())
                .u64(c.msrs().lstar())
                .u64(c.msrs().cstar());
        return to.u64(c.msrs().pat()).u64(c.msrs().kernelGsBase());
    }

    /** A random reply to an event with a number, in full length. */
    static Sample reply(int event, int v, Random r) {
        int action = r.nextInt(3);
        Action meant = List.of(Action.CONTINUE, Action.RETRY, Action.CRASH).get(action);
        Bytes start = vcpu(v).u8(action).u8(event).pad(6);
        long q = r.nextLong();
        if (event == 1 || event == 2) {
            return new Sample(0, start.u64(q), new EventReply.NewValue(meant, q));
        } else if (event == 6) {
            byte[] context = Sample.bytes(r, 256);
            boolean step = r.nextBoolean();
            boolean rep = r.nextBoolean();
            start.u64(q).u32(context.length).u8(step ? 1 : 0).u8(rep ? 1 : 0).pad(2);
            start.raw(context).zeros(256 - context.length);
            return new Sample(0, start, new EventReply.AfterFault(meant, false, step, rep, q, context));
        }
        return new Sample(0, start, EventReply.of(meant));
    }
}
