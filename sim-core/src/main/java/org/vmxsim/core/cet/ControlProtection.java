package org.vmxsim.core.cet;

import org.vmxsim.core.cpu.Processor;

/** The control-protection exception. SDM "Interrupt 21-Control Protection Exception (#CP)". */
public final class ControlProtection {
    /** Vector of #CP. */
    public static final int VECTOR = 21;
    /** Error code NEAR-RET: a near RET found another address on the shadow stack. */
    public static final int NEAR_RET = 1;
    /** Error code FAR-RET/IRET: a far RET or IRET found another address, or a shadow stack that is not aligned. */
    public static final int FAR_RET = 2;
    /** Error code ENDBRANCH: no ENDBR at the target of an indirect branch. */
    public static final int ENDBRANCH = 3;
    /** Error code RSTORSSP: the token that RSTORSSP was given is none. */
    public static final int RSTORSSP = 4;
    /** Error code SETSSBSY: the supervisor token is none, or busy. */
    public static final int SETSSBSY = 5;

    private ControlProtection() {}

    /**
     * Requests the exception.
     *
     * @param cpu the processor
     * @param errorCode one of the constants
     */
    public static void raise(Processor cpu, int errorCode) {
        cpu.raise(VECTOR, errorCode);
    }
}
