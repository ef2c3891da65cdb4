package org.vmxsim.kvmi.memory;

import java.util.EnumSet;
import java.util.Set;

/** Where the host's side of mapping does what the code of RFC v4 does, though it is wrong. Each can be had alone. */
public enum MappingQuirk {
    /**
     * A mapping is found by the local guest-physical address alone, all of its bits: introspectors with the same
     * address collide, the oldest mapping is taken, and those of an introspector that has ended stay.
     */
    KEYED_BY_GPA,
    /**
     * A mapping is noted after it has been made and the locks are released. Without memory for the note the caller gets
     * ENOMEM, and a page that stays mapped.
     */
    NOTED_LAST,
    /**
     * The target's address space is locked first, then the caller's: two virtual machines that map pages of each other
     * can deadlock, and one that maps a page of its own does.
     */
    TARGET_LOCKED_FIRST,
    /** A token that crosses a page goes on in the next guest-physical page, whatever the guest's page tables say. */
    TOKEN_IN_NEXT_FRAME,
    /**
     * The page that happens to be there is taken, be it shared with others, and the caller's own page is lost: a page
     * of zeros takes its place at the end. Nobody is told when the target gets another page for its address, or ends.
     */
    BORROWED_PAGES;

    /**
     * All of them: the code as posted.
     *
     * @return a new set
     */
    public static Set<MappingQuirk> strictV4() {
        return EnumSet.allOf(MappingQuirk.class);
    }
}
