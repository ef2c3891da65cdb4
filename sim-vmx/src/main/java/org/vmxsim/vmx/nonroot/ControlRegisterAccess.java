package org.vmxsim.vmx.nonroot;

import org.vmxsim.vmx.control.PrimaryControls;

/**
 * When MOV CR, CLTS and LMSW cause VM exits (SDM "Instructions That Cause VM Exits Conditionally"). The access comes in
 * the format of the exit qualification: 3:0 register, 5:4 access type.
 */
final class ControlRegisterAccess {
    private static final int MOV_TO = 0;
    private static final int MOV_FROM = 1;
    private static final int CLTS = 2;
    private static final int LMSW = 3;
    private static final long PE = 1;
    private static final long TS = 1 << 3;
    /** MP, EM and TS: the bits that LMSW writes as given; PE it can only set. */
    private static final long LMSW_BITS = 0xe;

    private ControlRegisterAccess() {}

    static boolean causesExit(ActiveControls controls, long qualification, long source) {
        int register = (int) qualification & 15;
        int type = (int) qualification >>> 4 & 3;
        return switch (type) {
            case MOV_TO -> load(controls, register, source);
            case MOV_FROM ->
                register == 3 && controls.hasPrimary(PrimaryControls.CR3_STORE_EXITING)
                        || register == 8 && controls.hasPrimary(PrimaryControls.CR8_STORE_EXITING);
            case CLTS -> (controls.cr0Mask & controls.cr0Shadow & TS) != 0;
            case LMSW -> lmsw(controls, source);
            default -> throw new AssertionError("access type of two bits: " + type);
        };
    }

    private static boolean load(ActiveControls controls, int register, long source) {
        return switch (register) {
            case 0 -> ((source ^ controls.cr0Shadow) & controls.cr0Mask) != 0;
            case 3 -> controls.hasPrimary(PrimaryControls.CR3_LOAD_EXITING) && !isTarget(controls, source);
            case 4 -> ((source ^ controls.cr4Shadow) & controls.cr4Mask) != 0;
            case 8 -> controls.hasPrimary(PrimaryControls.CR8_LOAD_EXITING);
            default -> throw new AssertionError("no control register CR" + register);
        };
    }

    private static boolean isTarget(ActiveControls controls, long source) {
        for (int i = 0; i < controls.cr3Targets; i++) {
            if (controls.cr3TargetValues[i] == source) {
                return true;
            }
        }
        return false;
    }

    private static boolean lmsw(ActiveControls controls, long source) {
        boolean setsPe = (controls.cr0Mask & source & ~controls.cr0Shadow & PE) != 0;
        return setsPe || ((source ^ controls.cr0Shadow) & controls.cr0Mask & LMSW_BITS) != 0;
    }
}
