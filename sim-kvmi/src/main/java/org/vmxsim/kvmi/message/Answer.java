package org.vmxsim.kvmi.message;

import java.util.List;
import java.util.Set;

/** What the machine answers to a {@link Command}. Source: kvmi.rst, "Commands". */
public sealed interface Answer {
    /** Success without more to say. */
    Done DONE = new Done();

    /** The command succeeded and asks for nothing. */
    record Done() implements Answer {}

    /**
     * The command failed and had no effect that its description does not name.
     *
     * @param error why
     */
    record Failed(KvmiError error) implements Answer {}

    /**
     * To {@link VmCommand.GetVersion}. The version itself is always 1.
     *
     * @param commands what the tool may ask (shown by the first format)
     * @param events what the tool may be told (shown by the first format)
     * @param features what the machine can do (shown by the later format)
     */
    record Version(Set<CommandKind> commands, Set<EventKind> events, Set<Feature> features) implements Answer {
        /** Makes the sets its own. */
        public Version {
            commands = Set.copyOf(commands);
            events = Set.copyOf(events);
            features = Set.copyOf(features);
        }
    }

    /**
     * To {@link VmCommand.GetGuestInfo}.
     *
     * @param vcpuCount how many vCPUs there are
     * @param tscHz how fast their TSC is (shown by the first format)
     */
    record GuestInfo(int vcpuCount, long tscHz) implements Answer {}

    /**
     * To {@link VcpuCommand.GetVcpuInfo}.
     *
     * @param tscHz how fast its TSC is
     */
    record VcpuInfo(long tscHz) implements Answer {}

    /**
     * To {@link VcpuCommand.GetRegisters}.
     *
     * @param modeBytes size of a code address, as in {@link EventContext}
     * @param general its general registers
     * @param system its system registers
     * @param msrs the MSRs, in the order asked
     */
    record Registers(int modeBytes, GeneralRegisters general, SystemRegisters system, List<Msr> msrs)
            implements Answer {
        /** Makes the list its own. */
        public Registers {
            msrs = List.copyOf(msrs);
        }
    }

    /**
     * To {@link VcpuCommand.GetCpuid}.
     *
     * @param eax EAX
     * @param ebx EBX
     * @param ecx ECX
     * @param edx EDX
     */
    record CpuidLeaf(int eax, int ebx, int ecx, int edx) implements Answer {}

    /**
     * To {@link VcpuCommand.GetXsave}.
     *
     * @param region the XSAVE area, at most 4096 bytes
     */
    record Xsave(byte[] region) implements Answer {}

    /**
     * To {@link VmCommand.ReadPhysical}.
     *
     * @param bytes what was read
     */
    record Memory(byte[] bytes) implements Answer {}

    /**
     * To {@link VmCommand.GetPageAccess}.
     *
     * @param access for each page bit 0 read, bit 1 write, bit 2 execute
     */
    record PageRights(byte[] access) implements Answer {}

    /**
     * To {@link VmCommand.GetMapToken}.
     *
     * @param token 32 bytes
     */
    record MapToken(byte[] token) implements Answer {}

    /**
     * To {@link VcpuCommand.GetMtrrType}.
     *
     * @param type memory type as in the MTRRs, 0 to 6
     */
    record MtrrType(int type) implements Answer {}

    /**
     * To {@link VmCommand.GetMaxGfn} and {@link VmCommand.GetNextAvailableGfn}.
     *
     * @param gfn guest frame number
     */
    record Gfn(long gfn) implements Answer {}

    /**
     * To {@link VcpuCommand.GetEptView} and {@link VmCommand.CreateEptView}.
     *
     * @param view number of the EPT view
     */
    record View(int view) implements Answer {}

    /**
     * To {@link VcpuCommand.TranslateGva}.
     *
     * @param gpa guest-physical address, or {@link #UNMAPPED}
     */
    record Translation(long gpa) implements Answer {
        /** There is no translation. */
        public static final long UNMAPPED = -1;
    }

    /**
     * To {@link VcpuCommand.GetXcr}.
     *
     * @param value its value
     */
    record Xcr(long value) implements Answer {}

    /**
     * To {@link VmCommand.QueryPhysical}.
     *
     * @param gfn first guest frame number of the memslot
     * @param pages how many pages it has
     */
    record Slot(long gfn, long pages) implements Answer {}

    /**
     * An MSR in {@link Registers}.
     *
     * @param index its index
     * @param value its value
     */
    record Msr(int index, long value) {}

    /** What a machine may be able to do, in {@link Version}. */
    enum Feature {
        /** Sub-page write permissions. */
        SPP,
        /** VM functions. */
        VMFUNC,
        /** Switching of EPT views by the guest. */
        EPTP,
        /** Virtualization exceptions. */
        VE,
        /** Single-stepping. */
        SINGLESTEP
    }
}
