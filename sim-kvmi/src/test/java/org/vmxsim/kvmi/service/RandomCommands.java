package org.vmxsim.kvmi.service;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.Function;
import org.vmxsim.kvmi.message.Command;
import org.vmxsim.kvmi.message.CommandKind;
import org.vmxsim.kvmi.message.EventKind;
import org.vmxsim.kvmi.message.GeneralRegisters;
import org.vmxsim.kvmi.message.VcpuCommand;
import org.vmxsim.kvmi.message.VmCommand;

/** Commands with arguments that are sometimes right, often near what is right, and sometimes wild. */
final class RandomCommands {
    private static final long[] ADDRESSES = {0, 0x1000, 0x5000, 0x5fff, 0x20_0000, 0xff_f000, 0x100_0000, 0xfee0_0000L};

    /** Every command but the one about answers, which is the wire's. */
    static final List<Function<Random, Command>> ALL = List.of(
            r -> new VmCommand.GetVersion(),
            r -> new VmCommand.CheckCommand(any(r, CommandKind.values())),
            r -> new VmCommand.CheckEvent(any(r, EventKind.values())),
            r -> new VmCommand.GetGuestInfo(),
            r -> new VmCommand.ControlVmEvents(any(r, EventKind.values()), r.nextBoolean()),
            r -> new VmCommand.ReadPhysical(address(r), r.nextInt(5) == 0 ? r.nextLong() : r.nextInt(5000)),
            r -> new VmCommand.WritePhysical(address(r), new byte[r.nextInt(5000)]),
            r -> new VmCommand.GetPageAccess(vcpu(r), view(r), new long[] {address(r), address(r)}),
            r -> new VmCommand.SetPageAccess(vcpu(r), view(r), pages(r)),
            r -> new VmCommand.SetPageWriteBitmap(view(r), bitmaps(r)),
            r -> new VmCommand.GetMapToken(),
            r -> new VmCommand.ControlSpp(r.nextInt(3) > 0),
            r -> new VmCommand.GetMaxGfn(),
            r -> new VmCommand.SetPageSve(view(r), r.nextBoolean(), address(r)),
            r -> new VmCommand.GetNextAvailableGfn(),
            r -> new VmCommand.QueryPhysical(gfn(r)),
            r -> new VmCommand.CreateEptView(),
            r -> new VmCommand.DestroyEptView(view(r)),
            r -> new VcpuCommand.GetVcpuInfo(vcpu(r)),
            r -> new VcpuCommand.PauseVcpu(vcpu(r), r.nextBoolean()),
            r -> new VcpuCommand.ControlEvents(vcpu(r), any(r, EventKind.values()), r.nextBoolean()),
            r -> new VcpuCommand.SetEventMask(vcpu(r), events(r)),
            r -> new VcpuCommand.ControlCr(vcpu(r), r.nextInt(10) - 1, r.nextBoolean()),
            r -> new VcpuCommand.ControlMsr(vcpu(r), number(r), r.nextBoolean()),
            r -> new VcpuCommand.GetRegisters(vcpu(r), new int[] {number(r), number(r)}),
            r -> new VcpuCommand.SetRegisters(vcpu(r), registers(r)),
            r -> new VcpuCommand.GetCpuid(vcpu(r), number(r), r.nextInt(4)),
            r -> new VcpuCommand.GetXsave(vcpu(r)),
            r -> new VcpuCommand.SetXsave(vcpu(r), new byte[r.nextInt(4200)]),
            r -> new VcpuCommand.InjectException(vcpu(r), r.nextInt(40), r.nextBoolean(), number(r), address(r)),
            r -> new VcpuCommand.GetMtrrType(vcpu(r), address(r)),
            r -> new VcpuCommand.SetVeInfo(vcpu(r), address(r), r.nextBoolean()),
            r -> new VcpuCommand.SwitchEptView(vcpu(r), view(r)),
            r -> new VcpuCommand.DisableVe(vcpu(r)),
            r -> new VcpuCommand.GetEptView(vcpu(r)),
            r -> new VcpuCommand.TranslateGva(vcpu(r), address(r)),
            r -> new VcpuCommand.ControlEptView(vcpu(r), view(r), r.nextBoolean()),
            r -> new VcpuCommand.GetXcr(vcpu(r), r.nextInt(3)),
            r -> new VcpuCommand.AllocGfn(vcpu(r), gfn(r)),
            r -> new VcpuCommand.FreeGfn(vcpu(r), gfn(r)),
            r -> new VcpuCommand.ChangeGfn(vcpu(r), view(r), gfn(r), gfn(r)),
            r -> new VcpuCommand.ControlSinglestep(vcpu(r), r.nextBoolean()));

    private RandomCommands() {}

    static Command next(Random random) {
        return ALL.get(random.nextInt(ALL.size())).apply(random);
    }

    private static <T> T any(Random random, T[] values) {
        return values[random.nextInt(values.length)];
    }

    private static int vcpu(Random random) {
        return random.nextInt(10) == 0 ? random.nextInt(65536) : random.nextInt(2);
    }

    private static int view(Random random) {
        return random.nextInt(10) == 0 ? random.nextInt(65536) : random.nextInt(3);
    }

    static long address(Random random) {
        long address = random.nextInt(6) == 0 ? random.nextLong() : ADDRESSES[random.nextInt(ADDRESSES.length)];
        return random.nextInt(3) == 0 ? address + random.nextInt(4096) : address;
    }

    private static long gfn(Random random) {
        return random.nextInt(3) == 0 ? 4096 + random.nextInt(4) : address(random) >> random.nextInt(13);
    }

    private static int number(Random random) {
        return switch (random.nextInt(4)) {
            case 0 -> random.nextInt();
            case 1 -> 0xc000_0080 + random.nextInt(8);
            case 2 -> 0x174 + random.nextInt(3);
            default -> random.nextInt(32);
        };
    }

    private static Set<EventKind> events(Random random) {
        Set<EventKind> events = EnumSet.noneOf(EventKind.class);
        for (EventKind event : EventKind.values()) {
            if (random.nextInt(4) == 0) {
                events.add(event);
            }
        }
        return events;
    }

    private static List<VmCommand.PageAccess> pages(Random random) {
        List<VmCommand.PageAccess> pages = new ArrayList<>();
        for (int i = random.nextInt(4); i > 0; i--) {
            pages.add(new VmCommand.PageAccess(address(random), random.nextInt(9)));
        }
        return pages;
    }

    private static List<VmCommand.PageBitmap> bitmaps(Random random) {
        List<VmCommand.PageBitmap> pages = new ArrayList<>();
        for (int i = random.nextInt(4); i > 0; i--) {
            pages.add(new VmCommand.PageBitmap(address(random), random.nextInt()));
        }
        return pages;
    }

    private static GeneralRegisters registers(Random random) {
        long any = random.nextLong();
        long rip = random.nextInt(3) == 0 ? any : EventRig.CODE;
        long flags = random.nextInt(3) == 0 ? any : 2;
        return new GeneralRegisters(
                any, any, any, any, any, any, 0x8000, any, any, any, any, any, any, any, any, any, rip, flags);
    }
}
