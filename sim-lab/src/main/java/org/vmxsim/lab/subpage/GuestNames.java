package org.vmxsim.lab.subpage;

import java.nio.charset.StandardCharsets;
import java.util.function.LongUnaryOperator;
import org.vmxsim.core.boot.ElfSymbol;
import org.vmxsim.core.boot.SymbolTable;

/**
 * Names for addresses of a guest: ELF symbols, and for its heap the guest's own table of objects where it keeps one:
 * {@code kv_object_count} (u64) and {@code kv_objects[]} with address (u64), size (u64) and name (32 bytes); see
 * guests/kvserver/README.md. Guests are identity-mapped as far as names are concerned.
 */
public final class GuestNames {
    private static final int ENTRY_BYTES = 48;
    private static final int NAME_BYTES = 32;
    private static final int MOST_OBJECTS = 1 << 16;
    private static final long NEAR_BYTES = 128;

    private final SymbolTable symbols;
    private final LongUnaryOperator memory;

    /**
     * Names of a guest.
     *
     * @param symbols symbols of its image
     * @param memory reads the aligned 8 bytes of guest memory at a guest-physical address
     */
    public GuestNames(SymbolTable symbols, LongUnaryOperator memory) {
        this.symbols = symbols;
        this.memory = memory;
    }

    /**
     * Names an instruction.
     *
     * @param rip its address
     * @return symbol and offset
     */
    public String code(long rip) {
        return symbols.describe(rip);
    }

    /**
     * Names a datum.
     *
     * @param address its address
     * @return object and offset, else symbol and offset; an address behind an object is an offset beyond its size
     */
    public String data(long address) {
        long table = symbols.find("kv_objects").map(ElfSymbol::address).orElse(0L);
        long counter = symbols.find("kv_object_count").map(ElfSymbol::address).orElse(0L);
        if (table == 0 || counter == 0) {
            return symbols.describe(address);
        }
        long count = Math.min(MOST_OBJECTS, Math.max(0, memory.applyAsLong(counter)));
        String behind = null;
        String before = null;
        for (long entry = table; entry < table + count * ENTRY_BYTES; entry += ENTRY_BYTES) {
            long start = memory.applyAsLong(entry);
            long offset = address - start;
            long distance = offset - memory.applyAsLong(entry + 8);
            if (start == 0) {
                continue;
            }
            if (offset >= 0 && distance < NEAR_BYTES) {
                String name = name(entry + 16) + "+0x" + Long.toHexString(offset);
                if (distance < 0) {
                    return name;
                }
                behind = name;
            } else if (offset < 0 && offset >= -NEAR_BYTES) {
                before = name(entry + 16) + "-0x" + Long.toHexString(-offset);
            }
        }
        return behind != null ? behind : before != null ? before : symbols.describe(address);
    }

    private String name(long at) {
        byte[] bytes = new byte[NAME_BYTES];
        int length = 0;
        for (; length < NAME_BYTES; length++) {
            byte octet = (byte) (memory.applyAsLong(at + (length & ~7)) >>> 8 * (length & 7));
            if (octet == 0) {
                break;
            }
            bytes[length] = octet;
        }
        return new String(bytes, 0, length, StandardCharsets.UTF_8).replaceAll("\\p{Cntrl}", "?");
    }
}
