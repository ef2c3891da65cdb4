package org.vmxsim.core.model;

import java.util.HashMap;
import java.util.Map;

/** The CPUID leaves of a model. A leaf that is not in the table answers zeros. */
final class CpuidTable {
    private static final int EXTENDED = 0x8000_0000;

    private final Map<Long, int[]> leaves = new HashMap<>();

    void put(int leaf, int subleaf, int... registers) {
        leaves.put(key(leaf, subleaf), registers.clone());
    }

    private static long key(int leaf, int subleaf) {
        return (long) leaf << 32 | subleaf & 0xffff_ffffL;
    }

    /** Register 0 to 3 (EAX, EBX, ECX, EDX) of a leaf. */
    int register(int leaf, int subleaf, int register) {
        int[] found = find(leaf, subleaf);
        return found == null ? 0 : found[register];
    }

    private int[] find(int leaf, int subleaf) {
        int asked = leaf;
        int highest = register0(leaf < 0 ? EXTENDED : 0);
        if (Integer.compareUnsigned(leaf, highest) > 0) {
            // SDM "CPUID": a leaf above the highest gives the data of the highest basic leaf
            asked = register0(0);
        }
        int[] exact = leaves.get(key(asked, subleaf));
        return exact != null || isIndexed(asked) ? exact : leaves.get(key(asked, 0));
    }

    private int register0(int leaf) {
        int[] found = leaves.get(key(leaf, 0));
        return found == null ? 0 : found[0];
    }

    /** Leaves whose answer depends on ECX. */
    private static boolean isIndexed(int leaf) {
        return leaf == 4
                || leaf == 7
                || leaf == 0xb
                || leaf == 0xd
                || leaf >= 0xf && leaf <= 0x1f && leaf != 0x15 && leaf != 0x16;
    }
}
