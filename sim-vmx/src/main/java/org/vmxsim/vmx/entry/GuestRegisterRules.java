package org.vmxsim.vmx.entry;

import static org.vmxsim.vmx.entry.EntryRule.rule;

import java.util.List;
import org.vmxsim.vmx.control.EntryControls;
import org.vmxsim.vmx.vmcs.GuestField;

/**
 * SDM "Checks on Guest Control Registers, Debug Registers, and MSRs", "Checks on Guest Descriptor-Table Registers",
 * "Checks on Guest RIP, RFLAGS, and SSP", in this order; a broken rule is exit 33 with qualification 0.
 */
public final class GuestRegisterRules {
    private static final long PE = 1;
    private static final long PG = 1L << 31;
    private static final long PAE = 1 << 5;
    private static final long PCIDE = 1 << 17;
    private static final long LME = 1 << 8;
    private static final long DEBUGCTL_DEFINED = 0xdfc3;
    private static final long CODE_L = 1 << 13;
    private static final long RFLAGS_IF = 1 << 9;
    private static final long RFLAGS_ZERO = ~0x3fffffL | 1 << 15 | 1 << 5 | 1 << 3;
    private static final long RFLAGS_ONE = 1 << 1;

    /** The rules in the order of the checks. */
    public static final List<EntryRule> RULES = List.of(
            rule("guest CR0", f -> f.isCr0(f.cr0, f.unrestricted)),
            rule("guest CR0: paging needs protection", f -> (f.cr0 & PG) == 0 || (f.cr0 & PE) != 0),
            rule("guest CR4", f -> f.isCr4(f.cr4)),
            rule("guest CR4: CET needs CR0.WP", f -> EntryFields.isCet(f.cr0, f.cr4)),
            rule(
                    "guest DEBUGCTL",
                    f -> !f.entry(EntryControls.LOAD_DEBUG_CONTROLS)
                            || (f.get(GuestField.IA32_DEBUGCTL) & ~DEBUGCTL_DEFINED) == 0),
            rule(
                    "IA-32e mode guest: CR0.PG and CR4.PAE are 1",
                    f -> !f.ia32eGuest || (f.cr0 & PG) != 0 && (f.cr4 & PAE) != 0),
            rule("no IA-32e mode guest: CR4.PCIDE is 0", f -> f.ia32eGuest || (f.cr4 & PCIDE) == 0),
            rule("guest CR3 within the physical-address width", f -> f.capabilities.isPhysical(f.get(GuestField.CR3))),
            rule(
                    "guest DR7 has 32 bits",
                    f -> !f.entry(EntryControls.LOAD_DEBUG_CONTROLS) || f.get(GuestField.DR7) >>> 32 == 0),
            rule(
                    "guest SYSENTER addresses are canonical",
                    f -> f.isCanonical(GuestField.IA32_SYSENTER_ESP) && f.isCanonical(GuestField.IA32_SYSENTER_EIP)),
            rule("guest PAT", f -> !f.entry(EntryControls.LOAD_PAT) || EntryFields.isPat(f.get(GuestField.IA32_PAT))),
            rule("guest EFER", GuestRegisterRules::efer),
            rule(
                    "guest GDTR and IDTR: bases are canonical",
                    f -> f.isCanonical(GuestField.GDTR_BASE) && f.isCanonical(GuestField.IDTR_BASE)),
            rule(
                    "guest GDTR and IDTR: limits have 16 bits",
                    f -> f.get(GuestField.GDTR_LIMIT) >>> 16 == 0 && f.get(GuestField.IDTR_LIMIT) >>> 16 == 0),
            rule("guest RIP", GuestRegisterRules::rip),
            rule("guest RFLAGS: reserved bits", f -> (f.rflags & RFLAGS_ZERO) == 0 && (f.rflags & RFLAGS_ONE) != 0),
            rule(
                    "guest RFLAGS.VM is 0 in IA-32e and real-address mode",
                    f -> !f.virtual8086 || !f.ia32eGuest && (f.cr0 & PE) != 0),
            rule(
                    "guest RFLAGS.IF is 1 if an external interrupt is injected",
                    f -> !f.injects(0) || (f.rflags & RFLAGS_IF) != 0));

    private GuestRegisterRules() {}

    private static boolean efer(EntryFields f) {
        if (!f.entry(EntryControls.LOAD_EFER)) {
            return true;
        }
        long efer = f.get(GuestField.IA32_EFER);
        boolean lmeAgrees = (f.cr0 & PG) == 0 || (efer & LME) != 0 == f.ia32eGuest;
        return EntryFields.isEfer(efer, f.ia32eGuest) && lmeAgrees;
    }

    /** In 64-bit mode bits 63:N must be identical, which is one bit less than canonical. */
    private static boolean rip(EntryFields f) {
        long rip = f.get(GuestField.RIP);
        if (!f.ia32eGuest || (f.get(GuestField.CS_ACCESS_RIGHTS) & CODE_L) == 0) {
            return rip >>> 32 == 0;
        }
        long high = rip >> f.capabilities.linearAddressBits();
        return high == 0 || high == -1;
    }
}
