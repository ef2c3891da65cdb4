package org.vmxsim.testkit.reference;

import org.vmxsim.testkit.reference.WalkAnswer.End;
import org.vmxsim.testkit.table.TableContents;
import org.vmxsim.testkit.table.TableImage;
import org.vmxsim.testkit.value.GuestAccess;
import org.vmxsim.testkit.value.GuestAccess.Piece;

/**
 * The walk of EPT and SPPT written once more, straight from the tables of the manual and as slowly as can be read: SDM,
 * "EPT Translation Mechanism", "EPT Misconfigurations", "EPT Violations", "Sub-Page Write Permissions". It shares no
 * code with the hardware model, so a difference is a bug in one of them.
 *
 * <p>Four levels, without accessed and dirty flags, mode-based execute control and supervisor shadow stacks.
 */
public final class ReferenceWalk {
    private final TableContents contents;
    private final TableImage image;

    /**
     * A walk.
     *
     * @param contents the controls
     * @param image the tables in memory
     */
    public ReferenceWalk(TableContents contents, TableImage image) {
        this.contents = contents;
        this.image = image;
    }

    /**
     * Asks for the translation of a linear address.
     *
     * @param piece the bytes, all in one page
     * @param kind what is done with them
     * @return how it ends
     */
    public WalkAnswer ask(Piece piece, GuestAccess.Kind kind) {
        if (piece.gpa() >= 1L << 48) {
            return new WalkAnswer(End.EPT_VIOLATION, -1, 0, 0);
        }
        long table = image.eptRoot();
        int rights = 7;
        for (int level = 4; level >= 1; level--) {
            long index = (piece.gpa() >>> 3 + 9 * level) % 512;
            long entry = image.word(table + 8 * index);
            if ((entry & 7) == 0) {
                return new WalkAnswer(End.EPT_VIOLATION, -1, 0, 0);
            }
            if (isMisconfigured(entry, level)) {
                return new WalkAnswer(End.EPT_MISCONFIGURATION, -1, 0, 0);
            }
            rights &= (int) (entry & 7);
            if (mapsPage(entry, level)) {
                long size = 1L << 3 + 9 * level;
                long hpa = address(entry) / size * size + piece.gpa() % size;
                return judge(piece, kind, hpa, rights, level == 1 && bit(entry, 61));
            }
            table = address(entry);
        }
        throw new AssertionError("an entry of level 1 maps a page");
    }

    private WalkAnswer judge(Piece piece, GuestAccess.Kind kind, long hpa, int rights, boolean armed) {
        int needed = kind == GuestAccess.Kind.FETCH ? 4 : kind.writes() ? 2 : 1;
        if ((rights & needed) != 0) {
            return new WalkAnswer(End.ALLOWED, hpa, rights, 0);
        }
        boolean eligible = contents.subPageWrite() && armed && kind.writes() && (rights & 1) != 0;
        return eligible ? subPages(piece, hpa, rights) : new WalkAnswer(End.EPT_VIOLATION, hpa, rights, 0);
    }

    private WalkAnswer subPages(Piece piece, long hpa, int rights) {
        long table = image.spptRoot();
        for (int level = 4; level >= 2; level--) {
            long entry = image.word(table + 8 * ((piece.gpa() >>> 3 + 9 * level) % 512));
            if (!bit(entry, 0)) {
                return new WalkAnswer(End.SPP_MISS, hpa, rights, 5 - level);
            }
            for (int reserved = 1; reserved < 64; reserved++) {
                if (bit(entry, reserved) && (reserved < 12 || reserved >= TableContents.WIDTH_BITS)) {
                    return new WalkAnswer(End.SPP_MISCONFIGURATION, hpa, rights, 5 - level);
                }
            }
            table = address(entry);
        }
        long vector = image.word(table + 8 * ((piece.gpa() >>> 12) % 512));
        for (int odd = 1; odd < 64; odd += 2) {
            if (bit(vector, odd)) {
                return new WalkAnswer(End.SPP_MISCONFIGURATION, hpa, rights, 4);
            }
        }
        for (int at = piece.offset(); at < piece.offset() + piece.sizeBytes(); at++) {
            if (!bit(vector, at / 128 * 2)) {
                return new WalkAnswer(End.EPT_VIOLATION, hpa, rights, 4);
            }
        }
        return new WalkAnswer(End.ALLOWED, hpa, rights, 4);
    }

    private boolean isMisconfigured(long entry, int level) {
        boolean read = bit(entry, 0);
        if (!read && bit(entry, 1) || !read && bit(entry, 2) && !contents.executeOnly()) {
            return true;
        }
        if ((entry & TableContents.BEYOND_WIDTH) != 0) {
            return true;
        }
        if (!mapsPage(entry, level)) {
            // Bits 6:3; and bit 7 where no entry may map a page.
            return bit(entry, 3) || bit(entry, 4) || bit(entry, 5) || bit(entry, 6) || bit(entry, 7);
        }
        long type = entry >>> 3 & 7;
        boolean badType = type == 2 || type == 3 || type == 7;
        boolean unaligned = level > 1 && address(entry) % (1L << 3 + 9 * level) != 0;
        return badType || unaligned;
    }

    private static boolean mapsPage(long entry, int level) {
        return level == 1 || bit(entry, 7) && level <= 3;
    }

    private static boolean bit(long value, int number) {
        return (value >>> number & 1) != 0;
    }

    private static long address(long entry) {
        return entry & (1L << 52) - 0x1000;
    }
}
