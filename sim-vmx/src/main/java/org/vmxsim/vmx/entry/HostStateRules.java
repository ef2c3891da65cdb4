package org.vmxsim.vmx.entry;

import static org.vmxsim.vmx.entry.EntryRule.rule;

import java.util.List;
import org.vmxsim.vmx.control.ExitControls;
import org.vmxsim.vmx.vmcs.HostField;

/** SDM "Checks on Host-State Area", in its order; a broken rule is VMfail 8. */
public final class HostStateRules {
    private static final long TI_AND_RPL = 7;
    private static final long CR4_PAE = 1 << 5;
    private static final long CR4_PCIDE = 1 << 17;
    private static final long EFER_LME = 1 << 8;

    private static final List<HostField> SELECTORS = List.of(
            HostField.ES_SELECTOR,
            HostField.CS_SELECTOR,
            HostField.SS_SELECTOR,
            HostField.DS_SELECTOR,
            HostField.FS_SELECTOR,
            HostField.GS_SELECTOR,
            HostField.TR_SELECTOR);

    private static final List<HostField> BASES =
            List.of(HostField.FS_BASE, HostField.GS_BASE, HostField.GDTR_BASE, HostField.IDTR_BASE, HostField.TR_BASE);

    /** The rules in the order of the checks. */
    public static final List<EntryRule> RULES = List.of(
            rule("host CR0", f -> f.isCr0(f.get(HostField.CR0), false)),
            rule("host CR4", f -> f.isCr4(f.get(HostField.CR4))),
            rule("host CR4: CET needs CR0.WP", f -> EntryFields.isCet(f.get(HostField.CR0), f.get(HostField.CR4))),
            rule("host CR3 within the physical-address width", f -> f.capabilities.isPhysical(f.get(HostField.CR3))),
            rule(
                    "host SYSENTER addresses are canonical",
                    f -> f.isCanonical(HostField.IA32_SYSENTER_ESP) && f.isCanonical(HostField.IA32_SYSENTER_EIP)),
            rule("host PAT", f -> !f.exit(ExitControls.LOAD_PAT) || EntryFields.isPat(f.get(HostField.IA32_PAT))),
            rule("host EFER", HostStateRules::efer),
            rule("host selectors have TI and RPL 0", f -> allSelectors(f)),
            rule("host CS is not null", f -> f.get(HostField.CS_SELECTOR) != 0),
            rule("host TR is not null", f -> f.get(HostField.TR_SELECTOR) != 0),
            rule("host SS is not null outside 64-bit mode", f -> f.host64 || f.get(HostField.SS_SELECTOR) != 0),
            rule("host bases are canonical", f -> allBases(f)),
            rule("host address-space size is that of the processor", f -> f.processorIa32e == f.host64),
            rule("IA-32e mode guest needs a 64-bit host", f -> f.host64 || !f.ia32eGuest),
            rule(
                    "32-bit host: CR4.PCIDE 0 and RIP of 32 bits",
                    f -> f.host64 || (f.get(HostField.CR4) & CR4_PCIDE) == 0 && f.get(HostField.RIP) >>> 32 == 0),
            rule(
                    "64-bit host: CR4.PAE 1 and RIP canonical",
                    f -> !f.host64 || (f.get(HostField.CR4) & CR4_PAE) != 0 && f.isCanonical(HostField.RIP)));

    private HostStateRules() {}

    private static boolean efer(EntryFields f) {
        long efer = f.get(HostField.IA32_EFER);
        return !f.exit(ExitControls.LOAD_EFER)
                || EntryFields.isEfer(efer, f.host64) && (efer & EFER_LME) != 0 == f.host64;
    }

    private static boolean allSelectors(EntryFields f) {
        for (int i = 0; i < SELECTORS.size(); i++) {
            if ((f.get(SELECTORS.get(i)) & TI_AND_RPL) != 0) {
                return false;
            }
        }
        return true;
    }

    private static boolean allBases(EntryFields f) {
        for (int i = 0; i < BASES.size(); i++) {
            if (!f.isCanonical(BASES.get(i))) {
                return false;
            }
        }
        return true;
    }
}
