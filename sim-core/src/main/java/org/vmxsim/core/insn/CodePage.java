package org.vmxsim.core.insn;

import org.vmxsim.core.cpu.Handler;

/**
 * The handlers of one page of host-physical memory in one code size, with or without control-flow enforcement, at the
 * offsets of their first bytes. What it holds is true as long as it is {@link #live}: a write to the page ends that.
 */
final class CodePage {
    private static final int OFFSETS = 1 << 12;
    private static final int ROW = 1 << 6;

    final long pfn;
    final int codeBits;
    /** Whether control-flow enforcement is in force for the code: its handlers are others. */
    final boolean controlFlow;

    boolean live = true;
    private final Handler[][] rows = new Handler[OFFSETS / ROW][];

    CodePage(long pfn, int codeBits, boolean controlFlow) {
        this.pfn = pfn;
        this.codeBits = codeBits;
        this.controlFlow = controlFlow;
    }

    /** The handler at an offset, or null. */
    Handler at(int offset) {
        Handler[] row = rows[offset / ROW];
        return row == null ? null : row[offset % ROW];
    }

    void place(int offset, Handler handler) {
        Handler[] row = rows[offset / ROW];
        if (row == null) {
            row = new Handler[ROW];
            rows[offset / ROW] = row;
        }
        row[offset % ROW] = handler;
    }
}
