package org.vmxsim.core.tlb;

/**
 * A table of recently used pages in front of the translation, tagged by context number: the functional engine's loads
 * and stores, and its instruction fetch. {@link Translations} tells it which context is current and what to forget.
 */
public interface ContextTaggedTable {
    /**
     * The context number that pages are looked up and entered with from now on.
     *
     * @param context context number, 0 to 4094
     */
    void context(int context);

    /**
     * Forgets one 4-KiB page of one context.
     *
     * @param linear a linear address in the page
     * @param ofContext the context number
     */
    void forget(long linear, int ofContext);

    /** Forgets all pages of all contexts. */
    void flush();
}
