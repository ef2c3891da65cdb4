package org.vmxsim.testkit.stateful;

import org.vmxsim.testkit.value.GuestAccess;

/** The instructions that make an access, in 32-bit code: address in EDI (ESI for reads), value in EAX. */
final class GuestCode {
    private static final int[][] STORES = {{0x88, 0x07}, {0x66, 0x89, 0x07}, {0x89, 0x07}};
    private static final int[][] LOADS = {{0x8a, 0x06}, {0x66, 0x8b, 0x06}, {0x8b, 0x06}};
    /** LOCK XADD; of 8 bytes LOCK CMPXCHG8B. */
    private static final int[][] ATOMICS = {
        {0xf0, 0x0f, 0xc0, 0x07}, {0xf0, 0x66, 0x0f, 0xc1, 0x07}, {0xf0, 0x0f, 0xc1, 0x07}, {0xf0, 0x0f, 0xc7, 0x0f}
    };

    private static final int[][] STOS = {{0xf3, 0xaa}, {0xf3, 0x66, 0xab}, {0xf3, 0xab}};
    private static final int[][] LODS = {{0xf3, 0xac}, {0xf3, 0x66, 0xad}, {0xf3, 0xad}};
    /** MOVSD from a device. */
    static final int[] COPY = {0xa5};

    private GuestCode() {}

    static int[] of(GuestAccess access) {
        int log = Integer.numberOfTrailingZeros(access.sizeBytes());
        return switch (access.kind()) {
            case WRITE -> STORES[log];
            case READ -> LOADS[log];
            case ATOMIC -> ATOMICS[log];
            case STRING_WRITE -> STOS[log];
            case STRING_READ -> LODS[log];
            // MOV EAX, imm32: five bytes, followed by HLT.
            case FETCH -> new int[] {0xb8, 0x11, 0x22, 0x33, 0x44};
        };
    }
}
