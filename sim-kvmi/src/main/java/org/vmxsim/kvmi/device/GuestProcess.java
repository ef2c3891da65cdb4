package org.vmxsim.kvmi.device;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.vmxsim.mmu.abi.Errno;

/**
 * A process of the guest that holds the modelled driver, with its address space, as the driver and the kernel around it
 * see it. Who models the guest's kernel says by {@link #startMunmap} and {@link #exit} that addresses go.
 */
public abstract class GuestProcess {
    /** Bytes of a page. */
    public static final int PAGE_BYTES = 4096;
    /** First address that no process has: Linux keeps the last page of the lower half free. */
    public static final long USER_END = (1L << 47) - PAGE_BYTES;

    private final KernelLock mmapSem = new KernelLock();
    private final List<KvmMemFile> watchers = new ArrayList<>();
    private final Map<Long, Integer> pins = new HashMap<>();

    /** A process without open files of the device. */
    protected GuestProcess() {}

    /**
     * A range of addresses that the process has ({@code struct vm_area_struct}).
     *
     * @param startGva first address
     * @param endGva first address behind it
     */
    public record Area(long startGva, long endGva) {}

    /** What a look-up of a page can find. */
    public enum Presence {
        /** A page of the process. */
        PRESENT,
        /** The page of zeros that stands for all that nobody has written. */
        ZERO_PAGE,
        /** Nothing. */
        ABSENT,
        /** The look-up fails. */
        FAILED
    }

    /**
     * What a look-up of a page found.
     *
     * @param presence what is there
     * @param gpa guest-physical address of the page, page-aligned; 0 where there is none
     * @param errno why the look-up failed, or null
     */
    public record PageLookup(Presence presence, long gpa, Errno errno) {
        /** No page. */
        public static final PageLookup NONE = new PageLookup(Presence.ABSENT, 0, null);

        /**
         * A page.
         *
         * @param gpa guest-physical address in it
         * @return the answer
         */
        public static PageLookup of(long gpa) {
            return new PageLookup(Presence.PRESENT, gpa & -PAGE_BYTES, null);
        }

        /**
         * The page of zeros.
         *
         * @param gpa guest-physical address in it
         * @return the answer
         */
        public static PageLookup zeroPage(long gpa) {
            return new PageLookup(Presence.ZERO_PAGE, gpa & -PAGE_BYTES, null);
        }

        /**
         * A failure.
         *
         * @param errno why
         * @return the answer
         */
        public static PageLookup failed(Errno errno) {
            return new PageLookup(Presence.FAILED, 0, errno);
        }
    }

    /**
     * {@code copy_from_user}.
     *
     * @param gva address of the first byte
     * @param to filled
     * @return true if all bytes could be read by the process
     */
    protected abstract boolean copyFromUser(long gva, byte[] to);

    /**
     * {@code find_vma}: the first area that ends above an address. The address may lie below it.
     *
     * @param gva the address
     * @return the area, or null
     */
    protected abstract Area findArea(long gva);

    /**
     * {@code follow_page} without flags: the page of an address if it is present, nothing faulted in.
     *
     * @param gva the address
     * @return what is there
     */
    protected abstract PageLookup followPage(long gva);

    /**
     * {@code get_user_pages} with write intent for one page that is present: a page of the process alone, which it may
     * write; a shared one is copied first where the process may have a copy.
     *
     * @param gva the address
     * @return what is there; EFAULT if the process may not write
     */
    protected abstract PageLookup writablePage(long gva);

    /**
     * Addresses go, after the mappings that the driver had there. Pages that are {@linkplain #isPinned pinned} must not
     * be used for anything else.
     *
     * @param startGva first address
     * @param endGva first address behind
     */
    protected abstract void dropped(long startGva, long endGva);

    /** {@code access_ok}, which on x86 compares with the end of user space and looks at nothing else. */
    static boolean accessOk(long gva, long sizeBytes) {
        return gva >= 0 && gva <= USER_END - sizeBytes;
    }

    /**
     * Whether the driver keeps a page where it is.
     *
     * @param gpa guest-physical address in the page
     * @return true while it must be neither moved nor freed
     */
    public final boolean isPinned(long gpa) {
        return pins.containsKey(gpa & -PAGE_BYTES);
    }

    final void pin(long gpa) {
        pins.merge(gpa, 1, Integer::sum);
    }

    final void unpin(long gpa) {
        if (pins.computeIfPresent(gpa, (page, count) -> count == 1 ? Integer.valueOf(0) : count - 1) == null) {
            throw new AssertionError("the page at gpa=0x" + Long.toHexString(gpa) + " is not pinned");
        }
        pins.remove(gpa, 0);
    }

    final KernelLock mmapSem() {
        return mmapSem;
    }

    final List<KvmMemFile> watchers() {
        return watchers;
    }

    /**
     * Begins {@code munmap}: mappings of the device in the range end, then the addresses go.
     *
     * @param gva first address
     * @param sizeBytes how many bytes
     * @return the call; its result is 0
     * @throws IllegalArgumentException if the range is not of whole pages in user space
     */
    public final FileCall startMunmap(long gva, long sizeBytes) {
        boolean whole = ((gva | sizeBytes) & PAGE_BYTES - 1) == 0 && sizeBytes > 0;
        if (!whole || sizeBytes > USER_END || !accessOk(gva, sizeBytes)) {
            throw new IllegalArgumentException("need whole pages in user space, got gva=0x" + Long.toHexString(gva)
                    + " sizeBytes=0x" + Long.toHexString(sizeBytes));
        }
        return new MunmapCall(this, gva, gva + sizeBytes);
    }

    /**
     * {@code exit}: all addresses go. The open files are closed by whoever holds them.
     *
     * @throws IllegalArgumentException if a call under way holds a lock that this needs
     */
    public final void exit() {
        new MunmapCall(this, 0, USER_END).run();
    }
}
