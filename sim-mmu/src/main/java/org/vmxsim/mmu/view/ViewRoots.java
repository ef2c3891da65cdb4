package org.vmxsim.mmu.view;

/** The EPT hierarchies behind the views, made and freed by the memory management. */
public interface ViewRoots {
    /** Answer of {@link #eptp}: there is no memory for the root table. */
    long NO_MEMORY = -1;

    /**
     * The EPT pointer of a view, making its root table if it has none.
     *
     * @param view the view
     * @param addressSpace 0, or 1 for system-management mode
     * @return the pointer, or {@link #NO_MEMORY}
     */
    long eptp(int view, int addressSpace);

    /**
     * Frees the tables of a view that no vCPU uses any more.
     *
     * @param view the view
     */
    void free(int view);

    /** Has every vCPU load its EPT pointer, and what belongs to it, before it enters the guest again. */
    void reloadAll();
}
