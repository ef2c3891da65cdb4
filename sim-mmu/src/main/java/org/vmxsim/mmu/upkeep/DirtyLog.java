package org.vmxsim.mmu.upkeep;

import java.util.function.Supplier;
import org.vmxsim.mmu.abi.Errno;
import org.vmxsim.mmu.abi.KernelOops;
import org.vmxsim.mmu.abi.KvmResult;
import org.vmxsim.mmu.ept.VcpuRequests;
import org.vmxsim.mmu.memslot.DirtyBitmap;
import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.mmu.memslot.Memslots;
import org.vmxsim.mmu.trace.HostEvent;

/**
 * The calls for the log of writes: KVM_GET_DIRTY_LOG, KVM_CLEAR_DIRTY_LOG and the options of
 * KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2. Rules and error numbers are KVM's. The page-modification logs of the vCPUs need no
 * emptying here, since each exit has emptied them.
 */
public final class DirtyLog {
    /** Option: reading does not clear; clearing is a call of its own. */
    public static final long MANUAL_PROTECT = 1;
    /** Option, with {@link #MANUAL_PROTECT}: logs begin with every page dirty and nothing protected. */
    public static final long INITIALLY_SET = 2;

    private static final long[] NO_WORDS = {};

    private final Memslots slots;
    private final DirtyLogging logging;
    private final VcpuRequests vcpus;
    private final Supplier<KernelOops> crash;
    private long options;

    /**
     * The calls of one virtual machine.
     *
     * @param slots its memslots
     * @param logging what protects pages whose bits are cleared
     * @param vcpus who is to invalidate then
     * @param crash the crash of the host's kernel that has ended the virtual machine, or null; every call gives it then
     */
    public DirtyLog(Memslots slots, DirtyLogging logging, VcpuRequests vcpus, Supplier<KernelOops> crash) {
        this.slots = slots;
        this.logging = logging;
        this.vcpus = vcpus;
        this.crash = crash;
    }

    /**
     * Chooses how the log is used (KVM_ENABLE_CAP of KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2).
     *
     * @param newOptions {@link #MANUAL_PROTECT}, alone or with {@link #INITIALLY_SET}; 0 turns both off
     * @return 0; EINVAL for other bits, and for INITIALLY_SET alone
     */
    public KvmResult enable(long newOptions) {
        if (crash.get() != null) {
            return KvmResult.crashed(crash.get());
        }
        boolean manual = (newOptions & MANUAL_PROTECT) != 0;
        if ((newOptions & ~(manual ? MANUAL_PROTECT | INITIALLY_SET : MANUAL_PROTECT)) != 0) {
            return KvmResult.failed(Errno.EINVAL);
        }
        options = newOptions;
        slots.logsBegin(beginsDirty());
        return KvmResult.OK;
    }

    /**
     * Whether logs that begin now begin with every page dirty.
     *
     * @return true with {@link #INITIALLY_SET}
     */
    public boolean beginsDirty() {
        return (options & INITIALLY_SET) != 0;
    }

    /**
     * Reads the log of a memslot (KVM_GET_DIRTY_LOG): which pages were written since it was last cleared. Without
     * {@link #MANUAL_PROTECT} reading clears it.
     *
     * @param slot memslot number in bits 15:0, address space in bits 31:16
     * @return the pages; EINVAL for a number that no memslot can have; ENOENT if there is no such memslot or its writes
     *     are not logged
     */
    public DirtyPages get(int slot) {
        if (crash.get() != null) {
            return new DirtyPages(KvmResult.crashed(crash.get()), NO_WORDS);
        }
        Errno refusal = refusal(slot);
        if (refusal != null) {
            return new DirtyPages(KvmResult.failed(refusal), NO_WORDS);
        }
        Memslot memslot = slots.byId(slot);
        long[] words = memslot.dirty().copy();
        if ((options & MANUAL_PROTECT) == 0) {
            boolean flush = false;
            for (int word = 0; word < words.length; word++) {
                flush |= words[word] != 0 && logging.clear(memslot, word, words[word]) != 0;
            }
            flush(flush);
        }
        if (logging.tracer().isOn()) {
            logging.tracer().emit(new HostEvent.DirtyLogRead(slot, pagesIn(words, words.length)));
        }
        return new DirtyPages(KvmResult.OK, words);
    }

    private static long pagesIn(long[] words, int count) {
        long pages = 0;
        for (int i = 0; i < count; i++) {
            pages += Long.bitCount(words[i]);
        }
        return pages;
    }

    /**
     * Clears part of the log of a memslot (KVM_CLEAR_DIRTY_LOG).
     *
     * @param slot memslot number in bits 15:0, address space in bits 31:16
     * @param firstPage number of a page within the memslot, a multiple of 64
     * @param npages how many pages: a multiple of 64, or up to the end of the memslot
     * @param words which of them to clear, the first page in bit 0 of the first word; bits beyond the memslot are
     *     ignored
     * @return 0; EINVAL for a number that no memslot can have and for pages against these rules; ENOENT if there is no
     *     such memslot or its writes are not logged; EFAULT if there are fewer words than pages ask for
     */
    public KvmResult clear(int slot, long firstPage, long npages, long[] words) {
        if (crash.get() != null) {
            return KvmResult.crashed(crash.get());
        }
        if (!Memslots.isNumber(slot) || (firstPage & DirtyBitmap.WORD_PAGES - 1) != 0) {
            return KvmResult.failed(Errno.EINVAL);
        }
        Errno refusal = refusal(slot);
        if (refusal != null) {
            return KvmResult.failed(refusal);
        }
        Memslot memslot = slots.byId(slot);
        long left = memslot.npages() - firstPage;
        boolean beyond = firstPage < 0 || left < 0 || npages < 0 || npages > left;
        if (beyond || npages < left && (npages & DirtyBitmap.WORD_PAGES - 1) != 0) {
            return KvmResult.failed(Errno.EINVAL);
        }
        int count = (int) (npages + DirtyBitmap.WORD_PAGES - 1 >>> 6);
        if (words.length < count) {
            return KvmResult.failed(Errno.EFAULT);
        }
        boolean flush = false;
        for (int i = 0; i < count; i++) {
            flush |= words[i] != 0 && logging.clear(memslot, (int) (firstPage >>> 6) + i, words[i]) != 0;
        }
        if (logging.tracer().isOn()) {
            logging.tracer().emit(new HostEvent.DirtyLogClear(slot, pagesIn(words, count)));
        }
        flush(flush);
        return KvmResult.OK;
    }

    private Errno refusal(int slot) {
        if (!Memslots.isNumber(slot)) {
            return Errno.EINVAL;
        }
        Memslot memslot = slots.byId(slot);
        return memslot == null || !memslot.logsWrites() ? Errno.ENOENT : null;
    }

    private void flush(boolean needed) {
        if (logging.takeFlushRequest() || needed) {
            vcpus.flushAll();
        }
    }
}
