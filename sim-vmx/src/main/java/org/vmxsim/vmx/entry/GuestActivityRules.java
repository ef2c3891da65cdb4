package org.vmxsim.vmx.entry;

import static org.vmxsim.vmx.entry.EntryRule.rule;

import java.util.List;
import org.vmxsim.vmx.control.PinControls;
import org.vmxsim.vmx.vmcs.GuestField;
import org.vmxsim.vmx.vmcs.Vmcs;

/**
 * SDM "Checks on Guest Non-Register State" and "Checks on Guest Page-Directory-Pointer-Table Entries"; a broken rule is
 * exit 33 with the qualification of its group.
 */
public final class GuestActivityRules {
    private static final int ACTIVE = 0;
    private static final int HLT = 1;
    private static final int SHUTDOWN = 2;
    private static final int WAIT_FOR_SIPI = 3;
    private static final int STI = 1;
    private static final int MOV_SS = 2;
    private static final int NMI_BLOCKING = 8;
    private static final int RESERVED_BLOCKING = ~(STI | MOV_SS | NMI_BLOCKING);
    private static final int EXTERNAL = 0;
    private static final int NMI = 2;
    private static final int EXCEPTION = 3;
    private static final int OTHER = 7;
    private static final int DEBUG = 1;
    private static final int MACHINE_CHECK = 18;
    private static final long IF = 1 << 9;
    private static final long TF = 1 << 8;
    private static final long BTF = 1 << 1;
    private static final long PENDING_BS = 1 << 14;
    private static final long PENDING_RESERVED = ~0x500fL;
    private static final long NO_LINK = -1;

    /** Qualification 0, in the order of the checks. */
    public static final List<EntryRule> RULES = List.of(
            rule("activity state is supported", GuestActivityRules::activity),
            rule("HLT only at CPL 0", f -> f.getInt(GuestField.ACTIVITY_STATE) != HLT || stackDpl(f) == 0),
            rule(
                    "blocking by STI or MOV SS only in the active state",
                    f -> (blocking(f) & (STI | MOV_SS)) == 0 || f.getInt(GuestField.ACTIVITY_STATE) == ACTIVE),
            rule("injected event agrees with the activity state", f -> !f.injects() || injectable(f)),
            rule("interruptibility: reserved bits, no blocking by SMI", f -> (blocking(f) & RESERVED_BLOCKING) == 0),
            rule("interruptibility: not both STI and MOV SS", f -> (blocking(f) & (STI | MOV_SS)) != (STI | MOV_SS)),
            rule("interruptibility: STI needs RFLAGS.IF", f -> (blocking(f) & STI) == 0 || (f.rflags & IF) != 0),
            rule(
                    "no external interrupt into blocking by STI or MOV SS",
                    f -> !f.injects(EXTERNAL) || (blocking(f) & (STI | MOV_SS)) == 0),
            rule("no NMI into blocking by MOV SS", f -> !f.injects(NMI) || (blocking(f) & MOV_SS) == 0),
            rule(
                    "no NMI into virtual-NMI blocking",
                    f -> !f.injects(NMI) || !f.pin(PinControls.VIRTUAL_NMIS) || (blocking(f) & NMI_BLOCKING) == 0),
            rule(
                    "pending debug exceptions: reserved bits",
                    f -> (f.get(GuestField.PENDING_DEBUG_EXCEPTIONS) & PENDING_RESERVED) == 0),
            rule("pending debug exceptions: single step agrees with RFLAGS.TF", GuestActivityRules::singleStep));

    /** Qualification 3: the injection of an NMI into a guest that blocks by STI. */
    public static final List<EntryRule> NMI_RULES =
            List.of(rule("no NMI into blocking by STI", f -> !f.injects(NMI) || (blocking(f) & STI) == 0));

    /** Qualification 4: the VMCS link pointer. */
    public static final List<EntryRule> LINK_RULES = List.of(rule("VMCS link pointer", GuestActivityRules::link));

    /** Qualification 2: PDPTEs, from the VMCS under EPT, else from memory. */
    public static final List<EntryRule> PDPTE_RULES =
            List.of(rule("PDPTEs have no reserved bit", f -> !f.usesPae() || pointers(f)));

    private GuestActivityRules() {}

    private static int blocking(EntryFields f) {
        return f.getInt(GuestField.INTERRUPTIBILITY_STATE);
    }

    private static int stackDpl(EntryFields f) {
        return f.getInt(GuestField.SS_ACCESS_RIGHTS) >>> 5 & 3;
    }

    /** IA32_VMX_MISC bits 8:6: HLT, shutdown, wait-for-SIPI. */
    private static boolean activity(EntryFields f) {
        int state = f.getInt(GuestField.ACTIVITY_STATE);
        return state == ACTIVE
                || state > ACTIVE && state <= WAIT_FOR_SIPI && (f.capabilities.misc() >>> 5 + state & 1) != 0;
    }

    private static boolean injectable(EntryFields f) {
        boolean nmi = f.injects(NMI);
        boolean machineCheck = f.injects(EXCEPTION) && f.injectedVector() == MACHINE_CHECK;
        boolean debug = f.injects(EXCEPTION) && f.injectedVector() == DEBUG;
        return switch (f.getInt(GuestField.ACTIVITY_STATE)) {
            case ACTIVE -> true;
            case HLT -> nmi || machineCheck || debug || f.injects(EXTERNAL) || f.injects(OTHER);
            case SHUTDOWN -> nmi || machineCheck;
            case WAIT_FOR_SIPI -> false;
            default -> throw new AssertionError("the activity state is checked before");
        };
    }

    private static boolean singleStep(EntryFields f) {
        boolean held = (blocking(f) & (STI | MOV_SS)) != 0 || f.getInt(GuestField.ACTIVITY_STATE) == HLT;
        // the field decides, whether or not VM entry loads it
        boolean steps = (f.rflags & TF) != 0 && (f.get(GuestField.IA32_DEBUGCTL) & BTF) == 0;
        return !held || (f.get(GuestField.PENDING_DEBUG_EXCEPTIONS) & PENDING_BS) != 0 == steps;
    }

    /** No modelled processor has VMCS shadowing, so the shadow indicator, bit 31, must be 0. */
    private static boolean link(EntryFields f) {
        long pointer = f.get(GuestField.VMCS_LINK_POINTER);
        return pointer == NO_LINK
                || f.isPage(pointer) && pointer != f.vmcs.hpa() && f.memory.readInt(pointer) == Vmcs.REVISION;
    }

    private static boolean pointers(EntryFields f) {
        long table = f.get(GuestField.CR3) & 0xffff_ffe0L;
        return pointer(f, GuestField.PDPTE_0, table)
                && pointer(f, GuestField.PDPTE_1, table + 8)
                && pointer(f, GuestField.PDPTE_2, table + 16)
                && pointer(f, GuestField.PDPTE_3, table + 24);
    }

    private static boolean pointer(EntryFields f, GuestField field, long hpa) {
        return isPageDirectoryPointer(
                f.ept ? f.get(field) : f.memory.readLong(hpa), f.capabilities.physicalAddressBits());
    }

    /**
     * Whether a PDPTE of PAE paging is valid (SDM "PDPTE Registers").
     *
     * @param pdpte the entry
     * @param physicalAddressBits MAXPHYADDR
     * @return false if it is present and has a reserved bit set
     */
    public static boolean isPageDirectoryPointer(long pdpte, int physicalAddressBits) {
        return (pdpte & 1) == 0 || (pdpte & (0x1e6 | -1L << physicalAddressBits)) == 0;
    }
}
