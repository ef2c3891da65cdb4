package org.vmxsim.lab.explain;

import java.util.StringJoiner;
import org.vmxsim.core.bits.BitField;
import org.vmxsim.core.time.TableMemory;

/** What a table entry says, in the manual's words, short. */
public final class Meaning {
    private static final BitField ADDRESS = BitField.bits(51, 12);
    private static final long ODD_BITS = 0xaaaa_aaaa_aaaa_aaaaL;

    private Meaning() {}

    /**
     * Says which entry it is.
     *
     * @param structure {@link TableMemory#GUEST}, {@link TableMemory#EPT} or {@link TableMemory#SPPT}
     * @param guestLevel level of the guest entry that is read or translated; 0 for the final address
     * @param level level of the entry
     * @return for example {@code EPT PDE for guest PML4E}
     */
    public static String name(int structure, int guestLevel, int level) {
        return switch (structure) {
            case TableMemory.GUEST -> "guest " + entryName(level);
            case TableMemory.EPT ->
                "EPT " + entryName(level) + " for "
                        + (guestLevel == 0 ? "final address" : "guest " + entryName(guestLevel));
            case TableMemory.SPPT -> level == 1 ? "SPPT vector" : "SPPL" + level + "E";
            default -> throw new IllegalArgumentException("need structure 0 to 2, got " + structure);
        };
    }

    private static String entryName(int level) {
        return new String[] {"PTE", "PDE", "PDPTE", "PML4E", "PML5E"}[level - 1];
    }

    /**
     * Says what the entry says.
     *
     * @param structure {@link TableMemory#GUEST}, {@link TableMemory#EPT} or {@link TableMemory#SPPT}
     * @param level level of the entry
     * @param entry its value
     * @return flags that are set and the address
     */
    public static String of(int structure, int level, long entry) {
        return switch (structure) {
            case TableMemory.GUEST -> guest(level, entry);
            case TableMemory.EPT -> ept(level, entry);
            case TableMemory.SPPT -> level == 1 ? vector(entry) : sppt(entry);
            default -> throw new IllegalArgumentException("need structure 0 to 2, got " + structure);
        };
    }

    private static boolean bit(long entry, int number) {
        return (entry >>> number & 1) != 0;
    }

    private static String target(boolean leaf, long entry) {
        return (leaf ? "frame 0x" : "table 0x") + Long.toHexString(entry & ADDRESS.mask());
    }

    private static String guest(int level, long entry) {
        if (!bit(entry, 0)) {
            return "not present";
        }
        boolean leaf = level == 1 || level <= 3 && bit(entry, 7);
        StringJoiner words = new StringJoiner(" ");
        words.add(bit(entry, 1) ? "writable" : "read-only").add(bit(entry, 2) ? "user" : "supervisor");
        add(words, bit(entry, 63), "execute-disable");
        add(words, bit(entry, 5), "A");
        add(words, leaf && bit(entry, 6), "D");
        add(words, leaf && bit(entry, 8), "global");
        add(words, leaf && level == 2, "2-MiB page");
        add(words, leaf && level == 3, "1-GiB page");
        return words.add(target(leaf, entry)).toString();
    }

    private static String ept(int level, long entry) {
        if ((entry & 7) == 0) {
            return "not present";
        }
        boolean leaf = level == 1 || level <= 3 && bit(entry, 7);
        StringJoiner words = new StringJoiner(" ");
        words.add((bit(entry, 0) ? "r" : "-") + (bit(entry, 1) ? "w" : "-") + (bit(entry, 2) ? "x" : "-"));
        add(words, bit(entry, 8), "A");
        add(words, leaf && bit(entry, 9), "D");
        add(words, level == 1 && bit(entry, 61), "sub-page protected");
        add(words, leaf && level == 2, "2-MiB page");
        add(words, leaf && level == 3, "1-GiB page");
        return words.add(target(leaf, entry)).toString();
    }

    private static String sppt(long entry) {
        return bit(entry, 0) ? "valid " + target(false, entry) : "not valid";
    }

    private static String vector(long entry) {
        if ((entry & ODD_BITS) != 0) {
            return "reserved bits set";
        }
        StringBuilder map = new StringBuilder("writable sub-pages 0-31: ");
        for (int i = 0; i < 32; i++) {
            map.append(bit(entry, 2 * i) ? 'w' : '-');
        }
        return map.toString();
    }

    private static void add(StringJoiner words, boolean condition, String word) {
        if (condition) {
            words.add(word);
        }
    }
}
