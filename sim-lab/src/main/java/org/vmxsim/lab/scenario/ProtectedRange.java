package org.vmxsim.lab.scenario;

/**
 * Sub-pages that are write-protected before the guest starts: a range of guest-physical addresses, given outright or by
 * a symbol of the guest's ELF image (identity-mapped guests: linear address = guest-physical address).
 *
 * @param symbol name of an ELF symbol, or empty if {@code offset} is an absolute guest-physical address
 * @param offset bytes from the symbol, or the address itself; a multiple of 128 after resolution
 * @param sizeBytes size in bytes, a positive multiple of 128; 0 means the symbol's own size, rounded up
 */
public record ProtectedRange(String symbol, long offset, long sizeBytes) {
    /** Bytes of a sub-page. */
    public static final int SUB_PAGE_BYTES = 128;

    /**
     * Checks what can be checked before the symbol is resolved.
     *
     * @throws IllegalArgumentException if the size is negative or not a multiple of 128, or an absolute range is empty
     *     or unaligned
     */
    public ProtectedRange {
        if (sizeBytes < 0 || sizeBytes % SUB_PAGE_BYTES != 0) {
            throw new IllegalArgumentException(
                    "need the size of a protected range as a multiple of 128, got " + sizeBytes);
        }
        if (symbol.isEmpty() && (sizeBytes == 0 || offset < 0 || offset % SUB_PAGE_BYTES != 0)) {
            throw new IllegalArgumentException("need a protected range at a multiple of 128 with a size, got address=0x"
                    + Long.toHexString(offset) + " size=" + sizeBytes);
        }
    }
}
