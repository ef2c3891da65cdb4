package org.vmxsim.kvmi.wire.codec;

import static org.vmxsim.kvmi.wire.Bytes.of;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.vmxsim.kvmi.message.Action;
import org.vmxsim.kvmi.message.Event;
import org.vmxsim.kvmi.message.Event.DescriptorTableRegister;
import org.vmxsim.kvmi.message.EventContext;
import org.vmxsim.kvmi.message.EventKind;
import org.vmxsim.kvmi.message.EventReply;
import org.vmxsim.kvmi.message.GeneralRegisters;
import org.vmxsim.kvmi.message.VcpuCommand;
import org.vmxsim.kvmi.message.VmCommand;
import org.vmxsim.kvmi.wire.Bytes;

/** The fourth posting, typed a second time from the tables of its structures. */
final class V4Samples {
    static final List<Integer> COMMANDS = List.of(1, 2, 3, 6, 7, 10, 11, 12, 13, 14, 15, 17, 18, 19, 25, 26);

    /** From bit 1 on. */
    private static final List<EventKind> EVENTS = List.of(
            EventKind.CR,
            EventKind.MSR,
            EventKind.XSETBV,
            EventKind.BREAKPOINT,
            EventKind.HYPERCALL,
            EventKind.PAGE_FAULT,
            EventKind.TRAP,
            EventKind.DESCRIPTOR,
            EventKind.CREATE_VCPU,
            EventKind.PAUSE_VCPU);

    static final List<Integer> EVENT_BITS = List.of(0x2, 0x4, 0x8, 0x10, 0x20, 0x40, 0x80, 0x100, 0x200, 0x400);

    private V4Samples() {}

    static Sample command(int id, Random r) {
        int v = r.nextInt(65536);
        long q = r.nextLong();
        int d = r.nextInt();
        int d2 = r.nextInt();
        int w = r.nextInt(65536);
        int u8 = r.nextInt(256);
        boolean b = r.nextBoolean();
        int bit = b ? 1 : 0;
        int size = 1 + r.nextInt(64);
        byte[] some = new byte[size];
        r.nextBytes(some);
        long gpa = q & ~0xfffL;
        GeneralRegisters regs = Sample.general(r);
        return switch (id) {
            case 1 -> new Sample(id, of(), new VmCommand.GetVersion());
            case 2 -> new Sample(id, of().u16(v).pad(6), new VcpuCommand.PauseVcpu(v, false));
            case 3 -> new Sample(id, of().u16(0).pad(6), new VmCommand.GetGuestInfo());
            case 6 -> getRegisters(v, r);
            case 7 -> new Sample(id, Sample.put(of().u16(v).pad(6), regs), new VcpuCommand.SetRegisters(v, regs));
            case 10 -> getPageAccess(v, w, r);
            case 11 -> setPageAccess(v, w, r);
            case 12 ->
                new Sample(
                        id,
                        of().u16(v).u8(u8).u8(bit).u16(w).pad(2).u64(q),
                        new VcpuCommand.InjectException(v, u8, b, w, q));
            case 13 -> new Sample(id, of().u64(gpa).u64(size), new VmCommand.ReadPhysical(gpa, size));
            case 14 -> new Sample(id, of().u64(gpa).u64(size).raw(some), new VmCommand.WritePhysical(gpa, some));
            case 15 -> new Sample(id, of(), new VmCommand.GetMapToken());
            case 17 ->
                new Sample(id, of().u16(v).pad(2).u32(w & 0x7fe), new VcpuCommand.SetEventMask(v, events(w & 0x7fe)));
            case 18 -> new Sample(id, of().u16(v).u8(bit).pad(1).u32(d), new VcpuCommand.ControlCr(v, d, b));
            case 19 -> new Sample(id, of().u16(v).u8(bit).pad(1).u32(d), new VcpuCommand.ControlMsr(v, d, b));
            case 25 -> new Sample(id, of().u16(v).pad(6).u32(d).u32(d2), new VcpuCommand.GetCpuid(v, d, d2));
            case 26 -> new Sample(id, of().u16(v).pad(6), new VcpuCommand.GetXsave(v));
            default -> throw new AssertionError(id);
        };
    }

    static Set<EventKind> events(int mask) {
        Set<EventKind> events = EnumSet.noneOf(EventKind.class);
        for (int i = 0; i < EVENTS.size(); i++) {
            if ((mask & EVENT_BITS.get(i)) != 0) {
                events.add(EVENTS.get(i));
            }
        }
        return events;
    }

    private static Sample getRegisters(int v, Random r) {
        int[] msrs = r.ints(r.nextInt(50)).toArray();
        Bytes bytes = of().u16(v).u16(msrs.length).pad(4);
        for (int msr : msrs) {
            bytes.u32(msr);
        }
        return new Sample(6, bytes, new VcpuCommand.GetRegisters(v, msrs));
    }

    private static Sample getPageAccess(int v, int view, Random r) {
        long[] gpas = r.longs(r.nextInt(50)).toArray();
        Bytes bytes = of().u16(v).u16(gpas.length).u16(view).pad(2);
        for (long gpa : gpas) {
            bytes.u64(gpa);
        }
        return new Sample(10, bytes, new VmCommand.GetPageAccess(v, view, gpas));
    }

    private static Sample setPageAccess(int v, int view, Random r) {
        List<VmCommand.PageAccess> pages = Sample.some(r, () -> new VmCommand.PageAccess(r.nextLong(), r.nextInt(256)));
        Bytes bytes = of().u16(v).u16(pages.size()).u16(view).pad(2);
        pages.forEach(page -> bytes.u64(page.gpa()).u8(page.access()).pad(7));
        return new Sample(11, bytes, new VmCommand.SetPageAccess(v, view, new ArrayList<>(pages)));
    }

    /** A random event with a bit: 528 bytes, then what the kind has. */
    static Sample event(int bit, Random r) {
        EventContext c = new EventContext(r.nextInt(65536), 4, 7, Sample.general(r), Sample.system(r), Sample.msrs(r));
        long q = r.nextLong();
        long q2 = r.nextLong();
        int d = r.nextInt();
        int d2 = r.nextInt();
        int d3 = r.nextInt();
        boolean b = r.nextBoolean();
        Bytes to = common(bit, c);
        return switch (bit) {
            case 0x2 -> new Sample(23, to.u16(4).zeros(6).u64(q).u64(q2), new Event.Cr(c, 4, q, q2));
            case 0x4 -> new Sample(23, to.u32(d).zeros(4).u64(q).u64(q2), new Event.Msr(c, d, q, q2));
            case 0x8 -> new Sample(23, to, new Event.Xsetbv(c));
            case 0x10 -> new Sample(23, to.u64(q), new Event.Breakpoint(c, q, 1));
            case 0x20 -> new Sample(23, to, new Event.Hypercall(c));
            case 0x40 -> new Sample(23, to.u64(q).u64(q2).u32(2).zeros(4), new Event.PageFault(c, q, q2, 2, 9));
            case 0x80 -> new Sample(23, to.u32(d).u32(d2).u32(d3).zeros(4).u64(q), new Event.Trap(c, d, d2, d3, q));
            case 0x100 ->
                new Sample(
                        23,
                        to.u32(d).zeros(4).u64(q).u8(4).u8(b ? 1 : 0).zeros(6),
                        new Event.Descriptor(c, DescriptorTableRegister.TR, b, d, q));
            case 0x200 -> new Sample(23, to, new Event.CreateVcpu(c));
            case 0x400 -> new Sample(23, to, new Event.Pause(c));
            default -> throw new AssertionError(bit);
        };
    }

    private static Bytes common(int bit, EventContext c) {
        Bytes to = of().u32(bit).u16(c.vcpu()).u8(c.modeBytes()).zeros(1);
        Sample.put(to, c.general());
        Sample.put(to, c.system());
        to.u64(c.msrs().sysenterCs()).u64(c.msrs().sysenterEsp()).u64(c.msrs().sysenterEip());
        to.u64(c.msrs().efer()).u64(c.msrs().star()).u64(c.msrs().lstar());
        return to.u64(c.msrs().cstar()).u64(c.msrs().pat());
    }

    /** A random reply to an event with a bit. */
    static Sample reply(int bit, Random r) {
        int action = r.nextInt(3);
        Action meant = List.of(Action.CONTINUE, Action.RETRY, Action.CRASH).get(action);
        Bytes start = of().u32(1 << action).pad(4);
        long q = r.nextLong();
        if (bit == 0x2 || bit == 0x4) {
            return new Sample(24, start.u64(q), new EventReply.NewValue(meant, q));
        } else if (bit == 0x40) {
            byte[] context = Sample.bytes(r, 256);
            boolean trap = r.nextBoolean();
            start.u8(trap ? 1 : 0).pad(3).u32(context.length).raw(context).zeros(256 - context.length);
            return new Sample(24, start, new EventReply.AfterFault(meant, trap, false, false, 0, context));
        }
        return new Sample(24, start, EventReply.of(meant));
    }

    static EventKind kind(int bit) {
        return EVENTS.get(EVENT_BITS.indexOf(bit));
    }
}
