package org.vmxsim.core.boot;

import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** The symbols of an image, by address and by name. */
public final class SymbolTable {
    /** A symbol without a size names addresses up to so many bytes behind it. */
    private static final long REACH = 1 << 16;

    private final List<ElfSymbol> byAddress;

    /**
     * A table.
     *
     * @param symbols symbols in any order
     */
    public SymbolTable(List<ElfSymbol> symbols) {
        byAddress = symbols.stream()
                .sorted(Comparator.<ElfSymbol>comparingLong(ElfSymbol::address)
                        .thenComparingLong(ElfSymbol::sizeBytes)
                        .thenComparing(ElfSymbol::name, Comparator.reverseOrder()))
                .toList();
    }

    /**
     * Finds a symbol by name.
     *
     * @param name its name
     * @return the symbol, or empty
     */
    public Optional<ElfSymbol> find(String name) {
        return byAddress.stream().filter(symbol -> symbol.name().equals(name)).findFirst();
    }

    /**
     * Finds the symbol that an address belongs to: the nearest at or below it whose size contains it, or that has no
     * size and begins at most 64 KiB below.
     *
     * @param address the address
     * @return the symbol, or empty
     */
    public Optional<ElfSymbol> at(long address) {
        int low = 0;
        int high = byAddress.size();
        while (low < high) {
            int middle = low + high >>> 1;
            if (Long.compareUnsigned(byAddress.get(middle).address(), address) <= 0) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        for (int i = low - 1; i >= 0 && i >= low - 64; i--) {
            ElfSymbol symbol = byAddress.get(i);
            long reach = symbol.sizeBytes() > 0 ? symbol.sizeBytes() : REACH;
            if (Long.compareUnsigned(address - symbol.address(), reach) < 0) {
                return Optional.of(symbol);
            }
        }
        return Optional.empty();
    }

    /**
     * Names an address.
     *
     * @param address the address
     * @return {@code name}, {@code name+0x12}, or the bare address in hexadecimal if no symbol is near
     */
    public String describe(long address) {
        return at(address)
                .map(symbol -> symbol.address() == address
                        ? symbol.name()
                        : symbol.name() + "+0x" + Long.toHexString(address - symbol.address()))
                .orElse("0x" + Long.toHexString(address));
    }
}
