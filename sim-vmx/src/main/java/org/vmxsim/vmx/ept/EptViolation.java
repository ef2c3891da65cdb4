package org.vmxsim.vmx.ept;

import static org.vmxsim.core.bits.BitField.bit;
import static org.vmxsim.core.bits.BitField.bits;

import org.vmxsim.core.bits.BitField;

/**
 * Exit qualification of an EPT violation. SDM Vol. 3C, table "Exit Qualification for EPT Violations". Nothing in it
 * says that a sub-page denied the write: software looks at bit 61 of the EPT entry.
 *
 * @param access bit 0: the access was a data read; bit 1: a data write; bit 2: an instruction fetch
 * @param rights logical AND over the entries used of: bit 0 read, bit 1 write, bit 2 execute, bit 3 user execute (under
 *     mode-based execute control); 0 if an entry was not present
 * @param linearAddressValid whether the guest-linear-address field is valid
 * @param finalAccess whether the access was to the translation of that linear address, as opposed to a guest
 *     paging-structure entry
 * @param guestRights with advanced VM-exit information, of a final access: bit 0 the linear address is a user-mode
 *     address, bit 1 guest paging makes it writable, bit 2 execute-disable
 * @param nmiUnblocking whether the violation arose in an IRET that had unblocked NMIs
 * @param shadowStack whether the access was a shadow-stack access
 * @param supervisorShadowStackPage bit 60 of the entry that maps the page, under EPTP bit 7
 */
public record EptViolation(
        int access,
        int rights,
        boolean linearAddressValid,
        boolean finalAccess,
        int guestRights,
        boolean nmiUnblocking,
        boolean shadowStack,
        boolean supervisorShadowStackPage) {

    /** Bit of {@link #access()}: data read. */
    public static final int READ = 1;
    /** Bit of {@link #access()}: data write. */
    public static final int WRITE = 2;
    /** Bit of {@link #access()}: instruction fetch. */
    public static final int FETCH = 4;

    private static final BitField ACCESS = bits(2, 0);
    private static final BitField RIGHTS = bits(6, 3);
    private static final BitField LINEAR_ADDRESS_VALID = bit(7);
    private static final BitField FINAL_ACCESS = bit(8);
    private static final BitField GUEST_RIGHTS = bits(11, 9);
    private static final BitField NMI_UNBLOCKING = bit(12);
    private static final BitField SHADOW_STACK = bit(13);
    private static final BitField SUPERVISOR_SHADOW_STACK_PAGE = bit(14);

    /**
     * Checks the ranges and what depends on what.
     *
     * @throws IllegalArgumentException if a value has bits that its field does not have, if a final access has no
     *     linear address, or if guest rights are given to an access that is not final
     */
    public EptViolation {
        if ((access & ~7) != 0 || (rights & ~15) != 0 || (guestRights & ~7) != 0) {
            throw new IllegalArgumentException("need access 0-7, rights 0-15, guestRights 0-7, got access=" + access
                    + " rights=" + rights + " guestRights=" + guestRights);
        }
        if (finalAccess && !linearAddressValid || guestRights != 0 && !finalAccess) {
            throw new IllegalArgumentException("guestRights need finalAccess, which needs linearAddressValid, got"
                    + " guestRights=" + guestRights + " finalAccess=" + finalAccess + " linearAddressValid="
                    + linearAddressValid);
        }
    }

    /**
     * The field as VM exit saves it.
     *
     * @return the exit qualification
     */
    public long encode() {
        long q = ACCESS.put(0, access);
        q = RIGHTS.put(q, rights);
        q = LINEAR_ADDRESS_VALID.put(q, linearAddressValid ? 1 : 0);
        q = FINAL_ACCESS.put(q, finalAccess ? 1 : 0);
        q = GUEST_RIGHTS.put(q, guestRights);
        q = NMI_UNBLOCKING.put(q, nmiUnblocking ? 1 : 0);
        q = SHADOW_STACK.put(q, shadowStack ? 1 : 0);
        return SUPERVISOR_SHADOW_STACK_PAGE.put(q, supervisorShadowStackPage ? 1 : 0);
    }

    /**
     * Reads the field. Bits that are meaningless because another is 0 are dropped.
     *
     * @param qualification exit qualification of an exit with reason 48
     * @return what it says
     */
    public static EptViolation decode(long qualification) {
        boolean valid = LINEAR_ADDRESS_VALID.isSet(qualification);
        boolean finalAccess = valid && FINAL_ACCESS.isSet(qualification);
        return new EptViolation(
                (int) ACCESS.get(qualification),
                (int) RIGHTS.get(qualification),
                valid,
                finalAccess,
                finalAccess ? (int) GUEST_RIGHTS.get(qualification) : 0,
                NMI_UNBLOCKING.isSet(qualification),
                SHADOW_STACK.isSet(qualification),
                SUPERVISOR_SHADOW_STACK_PAGE.isSet(qualification));
    }
}
