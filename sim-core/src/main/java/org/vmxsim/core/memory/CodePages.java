package org.vmxsim.core.memory;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Which physical pages hold code that some processor has decoded. A write to such a page tells every listener before
 * the bytes change, whoever writes: a processor, a loader or the hypervisor. Who writes by a shortcut that does not ask
 * here is told when a page becomes a code page, and takes the shortcut away.
 */
public final class CodePages {
    /** Who keeps decoded code and must drop it when its page is written. */
    public interface Listener {
        /**
         * The page is about to be written.
         *
         * @param pfn page-frame number: host-physical address divided by 4096
         */
        void codePageWritten(long pfn);
    }

    /** Who may write pages without telling, and must not do so with pages that hold decoded code. */
    public interface Writer {
        /**
         * The page holds decoded code from now on.
         *
         * @param pfn page-frame number: host-physical address divided by 4096
         */
        void writeProtectFrame(long pfn);
    }

    /** Pages of one leaf of the bit map: 1 GiB of addresses. */
    private static final int LEAF_SHIFT = 18;

    private static final int LEAF_MASK = (1 << LEAF_SHIFT) - 1;

    private final List<Listener> listeners = new ArrayList<>();
    private final List<Writer> writers = new ArrayList<>();
    private long[][] marked = new long[0][];

    /** No page is marked. */
    public CodePages() {}

    /**
     * Adds a listener.
     *
     * @param listener who is told of writes to marked pages
     */
    public void addListener(Listener listener) {
        listeners.add(listener);
    }

    /**
     * Adds a writer.
     *
     * @param writer who is told of pages that are marked
     */
    public void addWriter(Writer writer) {
        writers.add(writer);
    }

    /**
     * Marks a page as holding decoded code.
     *
     * @param pfn its page-frame number
     */
    public void mark(long pfn) {
        if (isMarked(pfn)) {
            return;
        }
        int leaf = (int) (pfn >>> LEAF_SHIFT);
        if (leaf >= marked.length) {
            marked = Arrays.copyOf(marked, Math.max(leaf + 1, Math.min(marked.length * 2, 1 << 22)));
        }
        if (marked[leaf] == null) {
            marked[leaf] = new long[1 << LEAF_SHIFT - 6];
        }
        marked[leaf][(int) pfn >>> 6 & LEAF_MASK >>> 6] |= 1L << pfn;
        for (Writer writer : writers) {
            writer.writeProtectFrame(pfn);
        }
    }

    /**
     * Whether a page is marked.
     *
     * @param pfn its page-frame number
     * @return true if it holds decoded code
     */
    public boolean isMarked(long pfn) {
        long leaf = pfn >>> LEAF_SHIFT;
        if (leaf >= marked.length || marked[(int) leaf] == null) {
            return false;
        }
        return (marked[(int) leaf][(int) pfn >>> 6 & LEAF_MASK >>> 6] >>> pfn & 1) != 0;
    }

    /** Told by the memory of each write. */
    void written(long hpa, int sizeBytes) {
        long first = hpa >>> 12;
        if (isMarked(first)) {
            unmark(first);
        }
        long last = hpa + sizeBytes - 1 >>> 12;
        if (last != first && isMarked(last)) {
            unmark(last);
        }
    }

    private void unmark(long pfn) {
        marked[(int) (pfn >>> LEAF_SHIFT)][(int) pfn >>> 6 & LEAF_MASK >>> 6] &= ~(1L << pfn);
        for (Listener listener : listeners) {
            listener.codePageWritten(pfn);
        }
    }
}
