package org.vmxsim.core.memory;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Which physical pages hold code that some processor has decoded. A write to such a page tells every listener before
 * the bytes change, whoever writes: a processor, a loader or the hypervisor. Who writes by a shortcut that does not ask
 * here is told when a page becomes a code page, and takes the shortcut away. Pages with a line that MONITOR watches are
 * marked in the same way.
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

    /** Who waits for a store to a line of memory, as MONITOR does. */
    public interface LineWatch {
        /**
         * Where the line lies; asked while it is watched.
         *
         * @return page-frame number
         */
        long pfn();

        /**
         * Something is about to be written, there or elsewhere. It may end the watch.
         *
         * @param hpa host-physical address of the first byte
         * @param sizeBytes how many bytes
         */
        void written(long hpa, int sizeBytes);
    }

    /** Pages of one leaf of the bit map: 1 GiB of addresses. */
    private static final int LEAF_SHIFT = 18;

    private static final int LEAF_MASK = (1 << LEAF_SHIFT) - 1;

    private final List<Listener> listeners = new ArrayList<>();
    private final List<Writer> writers = new ArrayList<>();
    private final List<LineWatch> watches = new ArrayList<>();
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
     * Begins to watch a line: each write is told until {@link #unwatch}.
     *
     * @param watch who is told
     */
    public void watch(LineWatch watch) {
        watches.add(watch);
        mark(watch.pfn());
    }

    /**
     * Ends watching a line. The page stays marked until it is written.
     *
     * @param watch who is told no longer
     */
    public void unwatch(LineWatch watch) {
        watches.remove(watch);
    }

    private boolean isWatched(long pfn) {
        for (LineWatch watch : watches) {
            if (watch.pfn() == pfn) {
                return true;
            }
        }
        return false;
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
     * @return true if it holds decoded code or a watched line
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
        // from the end, because who is told may leave
        for (int i = watches.size() - 1; i >= 0; i--) {
            watches.get(i).written(hpa, sizeBytes);
        }
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
        if (!isWatched(pfn)) {
            marked[(int) (pfn >>> LEAF_SHIFT)][(int) pfn >>> 6 & LEAF_MASK >>> 6] &= ~(1L << pfn);
        }
        for (Listener listener : listeners) {
            listener.codePageWritten(pfn);
        }
    }
}
