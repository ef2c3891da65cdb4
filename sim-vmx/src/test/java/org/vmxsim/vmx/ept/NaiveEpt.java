package org.vmxsim.vmx.ept;

import java.util.function.LongUnaryOperator;

/**
 * The EPT walk once more, written from the manual's tables bit by bit and without looking at the other one: a judge for
 * properties. Slow on purpose. No accessed and dirty flags, no SPP.
 */
final class NaiveEpt {
    final EptCapabilities capabilities;
    final boolean modeBased;
    final LongUnaryOperator memory;

    boolean readable = true;
    boolean writable = true;
    boolean executable = true;
    boolean userExecutable = true;
    int entriesRead;
    long hpa = -1;
    String end;

    NaiveEpt(EptCapabilities capabilities, boolean modeBased, LongUnaryOperator memory) {
        this.capabilities = capabilities;
        this.modeBased = modeBased;
        this.memory = memory;
    }

    static boolean bit(long word, int number) {
        return (word >> number & 1) == 1;
    }

    /** Walks; {@link #end} is then "page", "not present" or "misconfigured". */
    void walk(long root, int levels, long gpa) {
        String[] names = {"", "PTE", "PDE", "PDPTE", "PML4E", "PML5E"};
        long table = root;
        for (int level = levels; level >= 1; level--) {
            int low = new int[] {0, 12, 21, 30, 39, 48}[level];
            long entry = memory.applyAsLong(table + (gpa >> low & 511) * 8);
            entriesRead++;
            if (!bit(entry, 0) && !bit(entry, 1) && !bit(entry, 2) && !(modeBased && bit(entry, 10))) {
                end = "not present";
                return;
            }
            if (isMisconfigured(names[level], entry)) {
                end = "misconfigured";
                return;
            }
            readable &= bit(entry, 0);
            writable &= bit(entry, 1);
            executable &= bit(entry, 2);
            userExecutable &= bit(entry, 10);
            long address = 0;
            for (int b = 12; b <= 51; b++) {
                address += bit(entry, b) ? 1L << b : 0;
            }
            if (level == 1 || level <= 3 && bit(entry, 7)) {
                hpa = address + gpa % (1L << low);
                end = "page";
                return;
            }
            table = address;
        }
        throw new AssertionError("no end");
    }

    boolean isMisconfigured(String kind, long entry) {
        if (!bit(entry, 0)) {
            if (bit(entry, 1)) {
                return true;
            }
            if (!capabilities.executeOnly() && (bit(entry, 2) || modeBased && bit(entry, 10))) {
                return true;
            }
        }
        for (int b = 12; b <= 51; b++) {
            if (b >= capabilities.maxPhysicalAddressBits() && bit(entry, b)) {
                return true;
            }
        }
        boolean mapsPage;
        switch (kind) {
            case "PML5E", "PML4E":
                return bit(entry, 3) || bit(entry, 4) || bit(entry, 5) || bit(entry, 6) || bit(entry, 7);
            case "PDPTE":
                mapsPage = bit(entry, 7);
                if (mapsPage && !capabilities.pages1g()) {
                    return true;
                }
                for (int b = 12; b <= 29; b++) {
                    if (mapsPage && bit(entry, b)) {
                        return true;
                    }
                }
                break;
            case "PDE":
                mapsPage = bit(entry, 7);
                if (mapsPage && !capabilities.pages2m()) {
                    return true;
                }
                for (int b = 12; b <= 20; b++) {
                    if (mapsPage && bit(entry, b)) {
                        return true;
                    }
                }
                break;
            case "PTE":
                mapsPage = true;
                break;
            default:
                throw new AssertionError(kind);
        }
        if (!mapsPage) {
            return bit(entry, 3) || bit(entry, 4) || bit(entry, 5) || bit(entry, 6);
        }
        int memoryType = (bit(entry, 3) ? 1 : 0) + (bit(entry, 4) ? 2 : 0) + (bit(entry, 5) ? 4 : 0);
        return memoryType == 2 || memoryType == 3 || memoryType == 7;
    }
}
