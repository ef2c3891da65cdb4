package org.vmxsim.mmu.track;

import org.vmxsim.mmu.memslot.Memslot;

/**
 * Who is told about tracked pages: KVM's {@code kvm_page_track_notifier_node}. Every registered tracker is told about
 * every tracked page; what concerns it is its own to know. Accesses that the processor makes to guest paging structures
 * while it translates are not told, as KVM does not tell them.
 */
public interface PageTracker {
    /** What becomes of an access that was told beforehand. */
    enum Answer {
        /** The access is made. */
        CONTINUE,
        /** The access is not made and the guest executes the instruction again: something was changed for it. */
        RETRY
    }

    /**
     * The guest is about to read a page tracked by {@link TrackMode#PREREAD}.
     *
     * @param access the read; {@link TrackedAccess#supply} gives other data than memory has
     * @return whether it is made
     */
    default Answer preRead(TrackedAccess access) {
        return Answer.CONTINUE;
    }

    /**
     * The guest is about to write a page tracked by {@link TrackMode#PREWRITE}.
     *
     * @param access the write
     * @return whether it is made
     */
    default Answer preWrite(TrackedAccess access) {
        return Answer.CONTINUE;
    }

    /**
     * The guest is about to execute an instruction of which a page tracked by {@link TrackMode#PREEXEC} holds bytes.
     *
     * @param access the first byte of the instruction in that page
     * @return whether it is executed
     */
    default Answer preExec(TrackedAccess access) {
        return Answer.CONTINUE;
    }

    /**
     * The guest has written a page tracked by {@link TrackMode#WRITE}.
     *
     * @param access the write
     */
    default void written(TrackedAccess access) {}

    /**
     * A memslot has come, or come to another place.
     *
     * @param slot the memslot; none of its pages is tracked
     */
    default void slotCreated(Memslot slot) {}

    /**
     * A memslot goes, or goes to another place; what was tracked of it is tracked no more after this call.
     *
     * @param slot the memslot
     */
    default void slotFlushed(Memslot slot) {}
}
