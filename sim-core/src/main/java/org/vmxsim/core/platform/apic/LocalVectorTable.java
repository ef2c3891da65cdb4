package org.vmxsim.core.platform.apic;

import java.util.Arrays;

/** The six entries of the local vector table. SDM "Local Vector Table". */
final class LocalVectorTable {
    static final int TIMER = 0;
    static final int THERMAL = 1;
    static final int PERFORMANCE = 2;
    static final int LINT0 = 3;
    static final int LINT1 = 4;
    static final int ERROR = 5;
    static final int ENTRIES = 6;

    private static final int MASKED = 1 << 16;
    private static final int REMOTE_IRR = 1 << 14;
    /** Bits that can be written: vector, mask, and by entry timer mode, delivery mode, polarity and trigger mode. */
    private static final int[] WRITABLE = {0x700ff, 0x107ff, 0x107ff, 0x1a7ff, 0x1a7ff, 0x100ff};

    private final int[] entries = new int[ENTRIES];

    void reset() {
        Arrays.fill(entries, MASKED);
    }

    int get(int entry) {
        return entries[entry];
    }

    /** Bits that WRMSR refuses: reserved ones; the read-only ones count as such. */
    static boolean allows(int entry, long value) {
        // delivery status (bit 12) and remote IRR (bit 14) are read-only and ignored
        return (value & ~(WRITABLE[entry] | 1L << 12 | REMOTE_IRR)) == 0;
    }

    /** "When the local APIC has been software disabled ... attempts to reset these bits will be ignored" (masks). */
    void put(int entry, int value, boolean enabled) {
        int kept = entries[entry] & REMOTE_IRR;
        int written = value & WRITABLE[entry];
        boolean level = (written & 1 << 15) != 0;
        entries[entry] = written | (level ? kept : 0) | (enabled ? 0 : MASKED);
    }

    void maskAll() {
        for (int i = 0; i < ENTRIES; i++) {
            entries[i] |= MASKED;
        }
    }

    boolean isMasked(int entry) {
        return (entries[entry] & MASKED) != 0;
    }

    int vector(int entry) {
        return entries[entry] & 0xff;
    }

    int deliveryMode(int entry) {
        return entries[entry] >>> 8 & 7;
    }

    /** Whether an entry is a level-triggered interrupt of fixed delivery. */
    boolean isLevel(int entry) {
        return (entries[entry] & 1 << 15) != 0 && deliveryMode(entry) == InterruptMessage.FIXED;
    }

    boolean remoteIrr(int entry) {
        return (entries[entry] & REMOTE_IRR) != 0;
    }

    void remoteIrr(int entry, boolean value) {
        entries[entry] = entries[entry] & ~REMOTE_IRR | (value ? REMOTE_IRR : 0);
    }
}
