package org.vmxsim.kvmi.device;

import java.util.EnumSet;
import java.util.Set;

/**
 * Weaknesses of the driver as posted in "[RFC PATCH v4 02/18] add memory map/unmap support for VM introspection on the
 * guest side" (18 December 2017). With a quirk the device behaves as posted, without it as repaired; where a repair has
 * a model, it is the driver of the sixth posting.
 */
public enum DeviceQuirk {
    /**
     * MAP of an address without area or page reports success, asks the host for nothing and lists a mapping whose
     * physical address is what the memory of the list entry held before. Repaired: EFAULT, as a kernel says for a user
     * address behind which it finds no page; EINVAL stays for an address that can never be right.
     */
    ABSENT_PAGE_MAPS,
    /**
     * MAP takes an address inside a page, and one below the area found for it. Repaired: EINVAL for the first, EFAULT
     * for the second.
     */
    ALIGNMENT_UNCHECKED,
    /**
     * The page is looked up only: the guest may move or reclaim it while it is mapped, and the page of zeros that
     * everybody shares is given away with a warning. Repaired: the page is the process's own, writable, and pinned.
     */
    PAGE_NOT_PINNED,
    /** MAP of an address that is mapped succeeds; UNMAP takes the older entry. Repaired: EALREADY. */
    ADDRESS_MAPPED_TWICE,
    /** A process that got the open file from another one may use it. Repaired: EINVAL. */
    OTHER_PROCESS_ACCEPTED,
    /**
     * A page whose address range is unmapped by munmap or exit goes back to the guest's allocator while it still is the
     * other machine's memory. Repaired: the mapping ends first.
     */
    MUNMAP_LEAVES_MAPPING,
    /** UNMAP succeeds whatever the host says. Repaired: it says what the host says. */
    UNMAP_ERROR_HIDDEN,
    /**
     * The host works for a MAP while the lock of the process's address space is held. Repaired: that lock is released
     * before; only the file's own mutex is held.
     */
    WORK_UNDER_MMAP_SEM,
    /**
     * The file's structure is freed at the end of release although a call may still wait for its mutex. Linux keeps
     * release away until no call is in flight, so that this shows only where that does not hold. Repaired: the last
     * call frees it.
     */
    FILE_FREED_UNDER_CALL;

    /**
     * All of them, "strict-v4": the driver as posted.
     *
     * @return a new set
     */
    public static Set<DeviceQuirk> strictV4() {
        return EnumSet.allOf(DeviceQuirk.class);
    }
}
