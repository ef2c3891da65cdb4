package org.vmxsim.core.memory;

import java.util.ArrayList;
import java.util.List;

/**
 * Which physical pages hold code that some processor has decoded. A write to such a page tells every listener before
 * the bytes change, whoever writes: a processor, a loader or the hypervisor.
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

    private final List<Listener> listeners = new ArrayList<>();
    private long[] marked = new long[16];

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
     * Marks a page as holding decoded code.
     *
     * @param pfn its page-frame number
     */
    public void mark(long pfn) {
        int word = (int) (pfn >>> 6);
        if (word >= marked.length) {
            marked = java.util.Arrays.copyOf(marked, Math.max(word + 1, marked.length * 2));
        }
        marked[word] |= 1L << pfn;
    }

    /**
     * Whether a page is marked.
     *
     * @param pfn its page-frame number
     * @return true if it holds decoded code
     */
    public boolean isMarked(long pfn) {
        long word = pfn >>> 6;
        return word < marked.length && (marked[(int) word] >>> pfn & 1) != 0;
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
        marked[(int) (pfn >>> 6)] &= ~(1L << pfn);
        for (Listener listener : listeners) {
            listener.codePageWritten(pfn);
        }
    }
}
