package org.vmxsim.core.debug;

/**
 * The enabled breakpoints of DR0 to DR3, and those met by the instruction being executed. SDM "Debug Registers", "Debug
 * Control Register (DR7)", "Breakpoint Field Recognition".
 *
 * <p>The flags LE and GE change nothing, since breakpoints are always exact. Addresses are aligned down to the length
 * of the breakpoint, as the manual asks of software. A code breakpoint matches the first byte of an instruction.
 *
 * <p>B0 to B3 of DR6 "may or may not be set if the breakpoint is not enabled": here, as on processors and in other
 * simulators, those of disabled breakpoints are set beside that of an enabled one that the same access has met.
 */
public final class Breakpoints {
    private static final int REGISTERS = 4;
    private static final int CONTROL = 7;
    private static final long ENABLES = 0xff;
    private static final long PAGE = ~0xfffL;
    /** Lengths by the field LEN: 1, 2, 8 and 4 bytes. */
    private static final int[] LENGTH_BYTES = {1, 2, 8, 4};

    private static final int EXECUTION = 0;
    private static final int DATA_WRITE = 1;
    private static final int PORT = 2;
    private static final int DATA_ACCESS = 3;

    private final long[] written = new long[REGISTERS];
    private long control;
    private boolean debuggingExtensions;
    /** By the field R/W: the registers that have it, enabled or not. */
    private final int[] registersOfKind = new int[4];

    private int enabled;
    private int data;
    private int met;

    private ExternalDebugger debugger;
    private boolean debuggerChanged;

    /** No breakpoints. */
    public Breakpoints() {}

    /**
     * Takes over the debug registers, if they have changed.
     *
     * @param dr DR0 to DR7
     * @param extensions CR4.DE: whether there are I/O breakpoints
     * @return true if data breakpoints or what a debugger outside watches have changed, so that no page may be
     *     remembered as free of them
     */
    public boolean set(long[] dr, boolean extensions) {
        boolean changed = debuggerChanged;
        debuggerChanged = false;
        boolean nothing = ((dr[CONTROL] | control) & ENABLES) == 0;
        if (nothing || isSame(dr, extensions)) {
            return changed;
        }
        int before = data;
        System.arraycopy(dr, 0, written, 0, REGISTERS);
        control = dr[CONTROL];
        debuggingExtensions = extensions;
        java.util.Arrays.fill(registersOfKind, 0);
        enabled = 0;
        for (int i = 0; i < REGISTERS; i++) {
            registersOfKind[kind(i)] |= 1 << i;
            enabled |= (control >>> 2 * i & 3) != 0 ? 1 << i : 0;
        }
        if (!extensions) {
            // without CR4.DE the encoding 10B is undefined: it matches nothing here
            registersOfKind[PORT] = 0;
        }
        data = enabled & (registersOfKind[DATA_WRITE] | registersOfKind[DATA_ACCESS]);
        return changed || (before | data) != 0;
    }

    private boolean isSame(long[] dr, boolean extensions) {
        return control == dr[CONTROL]
                && debuggingExtensions == extensions
                && java.util.Arrays.equals(written, 0, REGISTERS, dr, 0, REGISTERS);
    }

    private int kind(int register) {
        return (int) (control >>> 16 + 4 * register) & 3;
    }

    private int lengthBytes(int register) {
        return LENGTH_BYTES[(int) (control >>> 18 + 4 * register) & 3];
    }

    /**
     * Whether data breakpoints are enabled.
     *
     * @return true if accesses must be told by {@link #access}
     */
    public boolean watchesData() {
        return data != 0 || debugger != null && debugger.watchesData();
    }

    /**
     * Whether breakpoints on instructions are enabled.
     *
     * @return true if each instruction must be asked for by {@link #code}
     */
    public boolean watchesCode() {
        return (enabled & registersOfKind[EXECUTION]) != 0 || debugger != null && debugger.watchesInstructions();
    }

    /**
     * Whether a data breakpoint lies in a page.
     *
     * @param linear a linear address in the 4-KiB page
     * @return true if accesses to the page must be told
     */
    public boolean watchesPage(long linear) {
        for (int i = 0; i < REGISTERS; i++) {
            if ((data >>> i & 1) != 0 && ((written[i] ^ linear) & PAGE) == 0) {
                return true;
            }
        }
        return debugger != null && debugger.watchesPage(linear);
    }

    /**
     * Connects a debugger outside the machine; again when what it watches changes. It counts from the next instruction
     * boundary on.
     *
     * @param outside who is asked besides the debug registers, or null for nobody
     */
    public void debugger(ExternalDebugger outside) {
        debugger = outside;
        debuggerChanged = true;
    }

    /**
     * Whether the debugger outside ends the run here.
     *
     * @param linear linear address of the next instruction
     * @return true to stop before it
     */
    public boolean debuggerStops(long linear) {
        return debugger != null && debugger.stopsBefore(linear);
    }

    /**
     * Breakpoints on the instruction at an address.
     *
     * @param linear linear address of its first byte
     * @return bits 3:0 as in DR6
     */
    public int code(long linear) {
        int registers = registersOfKind[EXECUTION];
        int bits = 0;
        for (int i = 0; registers >>> i != 0; i++) {
            bits |= (registers >>> i & 1) != 0 && written[i] == linear ? 1 << i : 0;
        }
        return reported(bits);
    }

    /** Breakpoints whose condition is met count if one of them is enabled. */
    private int reported(int bits) {
        return (bits & enabled) != 0 ? bits : 0;
    }

    /**
     * Tells of a data access; breakpoints that it meets are remembered for {@link #takeMet}.
     *
     * @param linear linear address of the first byte
     * @param sizeBytes bytes
     * @param write whether it writes
     * @return whether it meets one
     */
    public boolean access(long linear, int sizeBytes, boolean write) {
        int registers = registersOfKind[DATA_ACCESS] | (write ? registersOfKind[DATA_WRITE] : 0);
        int bits = reported(overlapping(registers, linear, sizeBytes));
        met |= bits;
        boolean outside = debugger != null && debugger.accessed(linear, sizeBytes, write);
        return bits != 0 || outside;
    }

    /**
     * Tells of an access to ports; breakpoints that it meets are remembered for {@link #takeMet}.
     *
     * @param port first port
     * @param sizeBytes how many ports
     * @return whether it meets one
     */
    public boolean port(int port, int sizeBytes) {
        int bits = reported(overlapping(registersOfKind[PORT], port, sizeBytes));
        met |= bits;
        return bits != 0;
    }

    private int overlapping(int registers, long first, int sizeBytes) {
        int bits = 0;
        for (int i = 0; registers >>> i != 0; i++) {
            int length = lengthBytes(i);
            long watched = written[i] & -length;
            // the differences are right across the ends of the address space too
            boolean overlaps = first - watched >= 0 && first - watched < length
                    || watched - first >= 0 && watched - first < sizeBytes;
            bits |= (registers >>> i & 1) != 0 && overlaps ? 1 << i : 0;
        }
        return bits;
    }

    /**
     * The breakpoints met since the last call.
     *
     * @return bits 3:0 as in DR6
     */
    public int takeMet() {
        int bits = met;
        met = 0;
        return bits;
    }
}
