package org.vmxsim.vmx.entry;

import static org.vmxsim.vmx.entry.EntryRule.rule;

import java.util.List;
import org.vmxsim.vmx.control.ControlGroup;
import org.vmxsim.vmx.control.ExitControls;
import org.vmxsim.vmx.control.PinControls;
import org.vmxsim.vmx.control.VmxCapabilities;
import org.vmxsim.vmx.vmcs.ControlField;

/**
 * SDM "VM-Exit Control Fields" and "VM-Entry Control Fields" (of "Checks on VMX Controls"), in this order; a broken
 * rule is VMfail 7.
 */
public final class TransitionControlRules {
    private static final int EXTERNAL = 0;
    private static final int RESERVED_TYPE = 1;
    private static final int NMI = 2;
    private static final int EXCEPTION = 3;
    private static final int SOFTWARE_INTERRUPT = 4;
    private static final int PRIVILEGED_SOFTWARE_EXCEPTION = 5;
    private static final int SOFTWARE_EXCEPTION = 6;
    private static final int OTHER = 7;
    private static final int DELIVER_ERROR_CODE = 1 << 11;
    private static final int RESERVED_INFORMATION = 0x7fff_f000;
    private static final int LONGEST_INSTRUCTION = 15;
    /** #DF, #TS, #NP, #SS, #GP, #PF, #AC. */
    private static final int WITH_ERROR_CODE = 1 << 8 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 17;

    /** The rules in the order of the checks. */
    public static final List<EntryRule> RULES = List.of(
            rule("reserved VM-exit controls", f -> f.capabilities.supports(ControlGroup.EXIT, f.exit)),
            rule(
                    "saving the VMX-preemption timer needs the timer",
                    f -> f.pin(PinControls.PREEMPTION_TIMER) || !f.exit(ExitControls.SAVE_PREEMPTION_TIMER)),
            rule(
                    "VM-exit MSR-store list",
                    f -> f.isMsrList(ControlField.EXIT_MSR_STORE_ADDRESS, ControlField.EXIT_MSR_STORE_COUNT)),
            rule(
                    "VM-exit MSR-load list",
                    f -> f.isMsrList(ControlField.EXIT_MSR_LOAD_ADDRESS, ControlField.EXIT_MSR_LOAD_COUNT)),
            rule("reserved VM-entry controls", f -> f.capabilities.supports(ControlGroup.ENTRY, f.entry)),
            rule("injected event: type", f -> !f.injects(RESERVED_TYPE)),
            rule("injected event: vector agrees with type", TransitionControlRules::vectorAgrees),
            rule("injected event: error code exactly where delivered", TransitionControlRules::errorCodeAgrees),
            rule("injected event: reserved bits", f -> (f.injection & RESERVED_INFORMATION) == 0),
            rule(
                    "injected event: error code has 16 bits",
                    f -> (f.injection & DELIVER_ERROR_CODE) == 0
                            || f.get(ControlField.ENTRY_EXCEPTION_ERROR_CODE) >>> 16 == 0),
            rule("injected event: instruction length", TransitionControlRules::lengthAgrees),
            rule(
                    "VM-entry MSR-load list",
                    f -> f.isMsrList(ControlField.ENTRY_MSR_LOAD_ADDRESS, ControlField.ENTRY_MSR_LOAD_COUNT)));

    /** #CP, which delivers an error code on processors that have it. */
    private static final int CONTROL_PROTECTION = 1 << 21;

    private static final long CR4_CET = 1 << 23;

    private TransitionControlRules() {}

    private static boolean vectorAgrees(EntryFields f) {
        return switch (f.injectedType()) {
            case NMI -> f.injectedVector() == 2;
            case EXCEPTION -> f.injectedVector() <= 31;
            case OTHER -> f.injectedVector() == 0;
            case EXTERNAL, RESERVED_TYPE, SOFTWARE_INTERRUPT, PRIVILEGED_SOFTWARE_EXCEPTION, SOFTWARE_EXCEPTION -> true;
            default -> throw new AssertionError("type of three bits: " + f.injectedType());
        };
    }

    private static boolean errorCodeAgrees(EntryFields f) {
        boolean protectedMode = !f.unrestricted || (f.cr0 & 1) != 0;
        boolean enforces = (f.capabilities.cr4Fixed1() & CR4_CET) != 0;
        int withErrorCode = WITH_ERROR_CODE | (enforces ? CONTROL_PROTECTION : 0);
        boolean delivered = f.injects(EXCEPTION)
                && protectedMode
                && f.injectedVector() <= 31
                && (withErrorCode & 1 << f.injectedVector()) != 0;
        return !f.injects() || (f.injection & DELIVER_ERROR_CODE) != 0 == delivered;
    }

    private static boolean lengthAgrees(EntryFields f) {
        boolean software = f.injects(SOFTWARE_INTERRUPT)
                || f.injects(PRIVILEGED_SOFTWARE_EXCEPTION)
                || f.injects(SOFTWARE_EXCEPTION);
        long length = f.get(ControlField.ENTRY_INSTRUCTION_LENGTH);
        boolean zeroAllowed = (f.capabilities.misc() & VmxCapabilities.MISC_ZERO_LENGTH_INJECTION) != 0;
        return !software || length <= LONGEST_INSTRUCTION && (length > 0 || zeroAllowed);
    }
}
