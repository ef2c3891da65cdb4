package org.vmxsim.testkit.value;

import java.util.ArrayList;
import java.util.List;

/**
 * One data access or instruction fetch of a guest, by guest-physical address. A repeated string instruction makes
 * several, one after the other, each complete before the next begins.
 *
 * @param kind what it does
 * @param gpa guest-physical address of the first byte
 * @param sizeBytes bytes of one element, 1 to 64
 * @param count how many elements; 1 unless the kind is a string
 */
public record GuestAccess(Kind kind, long gpa, int sizeBytes, int count) {
    /** What an access does. */
    public enum Kind {
        /** A data read. */
        READ,
        /** A data write. */
        WRITE,
        /** An instruction fetch. */
        FETCH,
        /** A locked read-modify-write. */
        ATOMIC,
        /** The reads of a repeated string instruction, upward. */
        STRING_READ,
        /** The writes of a repeated string instruction, upward. */
        STRING_WRITE;

        /**
         * Whether memory is written.
         *
         * @return true for writes, atomics included
         */
        public boolean writes() {
            return this == WRITE || this == ATOMIC || this == STRING_WRITE;
        }

        /**
         * Whether there may be several elements.
         *
         * @return true for strings
         */
        public boolean isString() {
            return this == STRING_READ || this == STRING_WRITE;
        }
    }

    /**
     * The part of one element that lies in one page: what the processor translates at once.
     *
     * @param gpa guest-physical address of its first byte
     * @param sizeBytes its size, 1 to 64
     */
    public record Piece(long gpa, int sizeBytes) {
        /**
         * Where it begins in its page.
         *
         * @return 0 to 4095
         */
        public int offset() {
            return (int) (gpa & 0xfff);
        }

        /**
         * The page it lies in.
         *
         * @return guest-frame number
         */
        public long gfn() {
            return gpa >>> 12;
        }
    }

    /**
     * Checks the numbers.
     *
     * @throws IllegalArgumentException if the size is not 1 to 64, the count not positive, or not 1 without a string
     */
    public GuestAccess {
        if (sizeBytes < 1 || sizeBytes > 64 || count < 1 || count > 1 && !kind.isString() || gpa < 0) {
            throw new IllegalArgumentException("need sizeBytes of 1 to 64, count 1 but for strings and gpa >= 0, got "
                    + kind + " gpa=0x" + Long.toHexString(gpa) + " sizeBytes=" + sizeBytes + " count=" + count);
        }
    }

    /**
     * A data read.
     *
     * @param gpa guest-physical address
     * @param sizeBytes size, 1 to 64
     * @return the access
     */
    public static GuestAccess read(long gpa, int sizeBytes) {
        return new GuestAccess(Kind.READ, gpa, sizeBytes, 1);
    }

    /**
     * A data write.
     *
     * @param gpa guest-physical address
     * @param sizeBytes size, 1 to 64
     * @return the access
     */
    public static GuestAccess write(long gpa, int sizeBytes) {
        return new GuestAccess(Kind.WRITE, gpa, sizeBytes, 1);
    }

    /**
     * An instruction fetch.
     *
     * @param gpa guest-physical address
     * @param sizeBytes size, 1 to 64
     * @return the access
     */
    public static GuestAccess fetch(long gpa, int sizeBytes) {
        return new GuestAccess(Kind.FETCH, gpa, sizeBytes, 1);
    }

    /**
     * How many bytes are touched.
     *
     * @return size of all elements together
     */
    public int totalBytes() {
        return sizeBytes * count;
    }

    /**
     * The pieces of one element: one, or two if it crosses a page boundary.
     *
     * @param element number of the element, from 0
     * @return the pieces, upward
     */
    public List<Piece> pieces(int element) {
        List<Piece> pieces = new ArrayList<>(2);
        long at = gpa + (long) element * sizeBytes;
        int left = sizeBytes;
        while (left > 0) {
            int here = (int) Math.min(left, 4096 - at % 4096);
            pieces.add(new Piece(at, here));
            at += here;
            left -= here;
        }
        return pieces;
    }

    @Override
    public String toString() {
        return kind + " 0x" + Long.toHexString(gpa) + " +" + sizeBytes + (count == 1 ? "" : " x" + count);
    }
}
