package org.vmxsim.kvmi.message;

/**
 * The MSRs that every event shows. Source: kvmi.rst, "KVMI_EVENT", {@code struct kvmi_event_arch}.
 *
 * @param sysenterCs IA32_SYSENTER_CS
 * @param sysenterEsp IA32_SYSENTER_ESP
 * @param sysenterEip IA32_SYSENTER_EIP
 * @param efer IA32_EFER
 * @param star IA32_STAR
 * @param lstar IA32_LSTAR
 * @param cstar IA32_CSTAR
 * @param pat IA32_PAT
 * @param kernelGsBase IA32_KERNEL_GS_BASE; the first format leaves it out
 */
public record EventMsrs(
        long sysenterCs,
        long sysenterEsp,
        long sysenterEip,
        long efer,
        long star,
        long lstar,
        long cstar,
        long pat,
        long kernelGsBase) {
    /** All 0. */
    public static final EventMsrs ZERO = new EventMsrs(0, 0, 0, 0, 0, 0, 0, 0, 0);
}
