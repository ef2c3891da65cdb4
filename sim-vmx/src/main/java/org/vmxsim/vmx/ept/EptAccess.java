package org.vmxsim.vmx.ept;

import java.util.Set;
import org.vmxsim.core.paging.AccessContext;
import org.vmxsim.spp.SppOptions;
import org.vmxsim.spp.SppVector;

/**
 * What one access asks of the EPT entries that translate it, as pure predicates. SDM Vol. 3C, "EPT Violations" and
 * "Sub-Page Write Permissions".
 */
public final class EptAccess {
    private static final int WRITES = AccessContext.WRITE | AccessContext.AD_UPDATE;
    private static final long BITS_ABOVE_47 = -1L << 48;

    private EptAccess() {}

    /**
     * Whether the access counts as a write because it is the processor's own to a guest paging-structure entry: "if bit
     * 6 of the EPTP is 1, processor accesses to guest paging-structure entries are treated as writes". Loads of PDPTEs
     * by MOV to CR, which have no linear address, are not.
     *
     * @param controls the VM-execution controls
     * @param access the access
     * @return true if it counts as a write for that reason
     */
    public static boolean isWalkTreatedAsWrite(EptControls controls, AccessContext access) {
        return controls.accessedDirty() && (access.access & AccessContext.WALK) != 0 && access.glaValid;
    }

    /**
     * The bit that must be 1 in every entry used. A legal entry that is writable is readable, so a read-modify-write
     * needs the write bit alone.
     *
     * @param controls the VM-execution controls
     * @param access the access
     * @return a mask of {@link EptEntry}
     */
    public static long neededRights(EptControls controls, AccessContext access) {
        int asked = access.access;
        if ((asked & WRITES) != 0 || isWalkTreatedAsWrite(controls, access)) {
            return EptEntry.WRITE.mask();
        }
        if ((asked & AccessContext.FETCH) == 0) {
            return EptEntry.READ.mask();
        }
        // Guest paging decides whether the linear address is a user-mode address, not CPL.
        return controls.modeBasedExecute && (access.guestRights & AccessContext.GUEST_USER) != 0
                ? EptEntry.USER_EXECUTE.mask()
                : EptEntry.EXECUTE.mask();
    }

    /**
     * Whether access rights for supervisor shadow-stack pages decide about the access, instead of the ordinary ones.
     *
     * @param controls the VM-execution controls
     * @param access the access
     * @return true for a supervisor shadow-stack access under EPTP bit 7
     */
    public static boolean isSupervisorShadowStack(EptControls controls, AccessContext access) {
        int shadowStack = access.access & (AccessContext.SHADOW_STACK | AccessContext.USER | AccessContext.WALK);
        return controls.supervisorShadowStack() && shadowStack == AccessContext.SHADOW_STACK;
    }

    /**
     * Whether a page is a supervisor shadow-stack page: readable by every entry, writable by every entry but the last,
     * and bit 60 set in the last.
     *
     * @param walk the complete walk
     * @return true if it is one
     */
    public static boolean isSupervisorShadowStackPage(EptWalk walk) {
        return EptEntry.READ.isSet(walk.conjunction())
                && EptEntry.WRITE.isSet(walk.above)
                && EptEntry.SUPERVISOR_SHADOW_STACK.isSet(walk.entry);
    }

    /**
     * Whether a write that EPT alone would deny consults the SPPT. Supervisor shadow-stack accesses under EPTP bit 7
     * have been decided before.
     *
     * @param controls the VM-execution controls
     * @param access the access
     * @param walk where the EPT walk ended
     * @param options what the manual leaves open
     * @return true if eligible
     */
    public static boolean isSubPageEligible(
            EptControls controls, AccessContext access, EptWalk walk, SppOptions options) {
        long rights = walk.conjunction();
        // The control is 1, and the page is mapped by a PTE with bit 61 set.
        return controls.subPageWrite
                && walk.isSubPageProtected()
                // A data write, whose address is the translation of a linear address: no access to a guest
                // paging-structure entry, be it a walk or an update of accessed and dirty flags.
                && isDataWrite(access)
                && access.glaValid
                // EPT allows reads and does not allow writes, all levels together.
                && EptEntry.READ.isSet(rights)
                && !EptEntry.WRITE.isSet(rights)
                && isAddressEligible(controls, access.gpa, options.fiveLevelEpt())
                && isKindEligible(access, options);
    }

    private static boolean isDataWrite(AccessContext access) {
        int asked = access.access & (AccessContext.WRITE | AccessContext.WALK | AccessContext.AD_UPDATE);
        return asked == AccessContext.WRITE;
    }

    private static boolean isAddressEligible(EptControls controls, long gpa, SppOptions.FiveLevelEpt option) {
        return switch (option) {
            case HIGH_ADDRESSES_NOT_ELIGIBLE -> (gpa & BITS_ABOVE_47) == 0;
            case HIGH_ADDRESSES_ALIAS -> true;
            case NOT_SUPPORTED -> controls.levels() == 4;
        };
    }

    private static boolean isKindEligible(AccessContext access, SppOptions options) {
        if ((access.access & AccessContext.SHADOW_STACK) != 0
                && options.shadowStack() == SppOptions.ShadowStack.NEVER) {
            return false;
        }
        Set<SppOptions.WriteKind> excluded = options.notEligible();
        if (excluded.isEmpty()) {
            return true;
        }
        for (SppOptions.WriteKind kind : excluded) {
            if (isOfKind(access, kind)) {
                return false;
            }
        }
        return true;
    }

    private static boolean isOfKind(AccessContext access, SppOptions.WriteKind kind) {
        return switch (kind) {
            case READ_MODIFY_WRITE -> (access.access & AccessContext.READ) != 0;
            case LOCKED -> (access.access & AccessContext.LOCKED) != 0;
            case WIDER_THAN_8_BYTES -> access.sizeBytes > 8;
            case CROSSING_SUB_PAGES -> Integer.bitCount(SppVector.touched(access.gpa, access.sizeBytes)) > 1;
        };
    }
}
