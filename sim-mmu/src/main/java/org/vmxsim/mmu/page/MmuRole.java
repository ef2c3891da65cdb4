package org.vmxsim.mmu.page;

/**
 * What makes tables that map the same guest frames different from each other: {@code kvm_mmu_page_role}. Tables are
 * shared between vCPUs of equal role.
 *
 * @param level level of the table, 1 (its entries map 4-KiB pages) to 5
 * @param view the view, 0 for the default view, to 65535
 * @param smm whether it maps the second address space (system-management mode)
 * @param guestMode whether it is for a vCPU that runs a nested guest
 * @param adDisabled whether the processor leaves accessed and dirty flags alone in it
 * @param spp whether it is a table of sub-page permissions, not of EPT
 */
public record MmuRole(int level, int view, boolean smm, boolean guestMode, boolean adDisabled, boolean spp) {
    /**
     * Checks the numbers.
     *
     * @throws IllegalArgumentException if level or view are out of range
     */
    public MmuRole {
        if (level < 1 || level > 5 || view < 0 || view > 0xffff) {
            throw new IllegalArgumentException(
                    "need a level of 1 to 5 and a view of 0 to 65535, got level=" + level + " view=" + view);
        }
    }

    /**
     * The role of the tables that entries of such a table refer to.
     *
     * @return the same role, one level below
     * @throws IllegalArgumentException for a table of level 1, which refers to none
     */
    public MmuRole child() {
        return new MmuRole(level - 1, view, smm, guestMode, adDisabled, spp);
    }

    /**
     * The address space that it maps.
     *
     * @return 0, or 1 for system-management mode
     */
    public int addressSpace() {
        return smm ? 1 : 0;
    }
}
