package org.vmxsim.vmx.entry;

import org.vmxsim.vmx.vmcs.Vmcs;

/**
 * Which controls and host state have passed the checks of VM entry last. A hypervisor that resumes a guest again and
 * again seldom changes them, and they need not be checked again then. Besides the fields of the VMCS these checks look
 * at two things alone: whether the processor is in IA-32e mode, and whether the guest is in protected mode.
 */
public final class CheckedSettings {
    private Vmcs vmcs;
    private long settingsChanges;
    private boolean processorIa32e;
    private boolean protectedMode;
    private boolean withoutHostState;

    /** Nothing has been checked. */
    public CheckedSettings() {}

    private static boolean isProtectedMode(EntryFields fields) {
        return (fields.cr0 & 1) != 0;
    }

    /**
     * Whether the checks of {@link ExecutionControlRules}, {@link TransitionControlRules} and {@link HostStateRules}
     * would all pass because they have passed for the same.
     *
     * @param fields what VM entry looks at
     * @param java whether the host state is not to be checked
     * @return false if they have to be made
     */
    public boolean holdsFor(EntryFields fields, boolean java) {
        return vmcs == fields.vmcs
                && settingsChanges == fields.vmcs.settingsChanges()
                && processorIa32e == fields.processorIa32e
                && protectedMode == isProtectedMode(fields)
                && (java || !withoutHostState);
    }

    /**
     * The checks have been made, and all have passed.
     *
     * @param fields what VM entry looks at
     * @param java whether the host state has not been checked
     */
    public void passed(EntryFields fields, boolean java) {
        vmcs = fields.vmcs;
        settingsChanges = vmcs.settingsChanges();
        processorIa32e = fields.processorIa32e;
        protectedMode = isProtectedMode(fields);
        withoutHostState = java;
    }
}
