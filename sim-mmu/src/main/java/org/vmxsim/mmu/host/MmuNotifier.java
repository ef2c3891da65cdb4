package org.vmxsim.mmu.host;

/**
 * Who keeps copies of the host's page tables and is told before and after they change: Linux's mmu notifiers. All
 * ranges are host virtual, page-aligned, the end exclusive.
 */
public interface MmuNotifier {
    /**
     * Translations of a range are about to change: nothing of the range may be used until {@link #invalidateRangeEnd}.
     *
     * @param startHva first address
     * @param endHva address behind the last
     */
    void invalidateRangeStart(long startHva, long endHva);

    /**
     * The change announced by {@link #invalidateRangeStart} is done.
     *
     * @param startHva first address
     * @param endHva address behind the last
     */
    void invalidateRangeEnd(long startHva, long endHva);

    /**
     * One 4-KiB page has another frame now.
     *
     * @param hva address of the page
     * @param hpa host-physical address of the new frame
     * @param writable whether the process may write to it
     */
    void changePte(long hva, long hpa, boolean writable);

    /**
     * Clears accessed flags and says whether any was set; translations are flushed.
     *
     * @param startHva first address
     * @param endHva address behind the last
     * @return true if the range was accessed since the last clearing
     */
    boolean clearFlushYoung(long startHva, long endHva);

    /**
     * As {@link #clearFlushYoung} without the flush.
     *
     * @param startHva first address
     * @param endHva address behind the last
     * @return true if the range was accessed since the last clearing
     */
    boolean clearYoung(long startHva, long endHva);

    /**
     * Whether a page was accessed since its flag was cleared.
     *
     * @param hva address of the page
     * @return true if it was
     */
    boolean testYoung(long hva);
}
