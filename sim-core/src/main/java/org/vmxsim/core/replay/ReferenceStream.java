package org.vmxsim.core.replay;

import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.StopReason;

/**
 * An instruction stream made of recorded references: a fetch and the data references behind it are one instruction. An
 * instruction that faults or exits is executed again from its first reference, as a real one is. Stores write zeros;
 * data wider than 8 bytes is touched 8 bytes at a time.
 */
public final class ReferenceStream extends Handler.Source {
    /** Where references come from. */
    public interface Feed {
        /**
         * The next reference.
         *
         * @param reference where to put it
         * @return false at the end of the trace
         */
        boolean next(MemoryReference reference);
    }

    private static final int MOST_REFERENCES = 64;
    private static final long PAGE_MASK = 0xfff;

    private final Feed feed;
    private final Instruction instruction = new Instruction();
    private final MemoryReference[] data = new MemoryReference[MOST_REFERENCES];
    private final MemoryReference fetch = new MemoryReference();
    private final MemoryReference ahead = new MemoryReference();
    private int dataCount;
    private boolean aheadFilled;
    private boolean waiting;
    private boolean fetched;
    private boolean ended;

    /**
     * A stream.
     *
     * @param feed where references come from
     */
    public ReferenceStream(Feed feed) {
        this.feed = feed;
        for (int i = 0; i < data.length; i++) {
            data[i] = new MemoryReference();
        }
    }

    /**
     * Whether the trace has been executed to its end.
     *
     * @return true when nothing is left
     */
    public boolean ended() {
        return ended;
    }

    @Override
    public Handler at(Processor cpu) {
        if (!waiting && !gather()) {
            ended = true;
            cpu.stop(StopReason.REQUESTED);
            return null;
        }
        waiting = true;
        return fetched && !place(cpu) ? null : instruction;
    }

    /** Translates the fetch, of both pages where it crosses. */
    private boolean place(Processor cpu) {
        cpu.rip = fetch.linear;
        long last = fetch.linear + fetch.sizeBytes - 1;
        int offset = (int) (fetch.linear & PAGE_MASK);
        long hpa = cpu.mem.slow().fetchAddress(fetch.linear);
        if (cpu.pending == Processor.NOTHING && (last & ~PAGE_MASK) != (fetch.linear & ~PAGE_MASK)) {
            cpu.mem.slow().fetchAddress(last & ~PAGE_MASK);
        }
        cpu.codeFrame = hpa - offset;
        cpu.codeBase = fetch.linear - offset;
        instruction.pageOffset = offset;
        instruction.length = (int) Math.min(fetch.sizeBytes, PAGE_MASK + 1 - offset);
        return cpu.pending == Processor.NOTHING;
    }

    /** Collects one instruction: a fetch and its data, or data without a fetch at the beginning of a trace. */
    private boolean gather() {
        dataCount = 0;
        if (!aheadFilled && !feed.next(ahead)) {
            return false;
        }
        fetched = ahead.kind == MemoryReference.Kind.FETCH;
        if (fetched) {
            fetch.set(ahead);
        } else {
            data[dataCount++].set(ahead);
        }
        aheadFilled = feed.next(ahead);
        while (aheadFilled && ahead.kind != MemoryReference.Kind.FETCH && dataCount < MOST_REFERENCES) {
            data[dataCount++].set(ahead);
            aheadFilled = feed.next(ahead);
        }
        return true;
    }

    /** The gathered instruction. */
    private final class Instruction extends Handler {
        @Override
        public Handler exec(Processor cpu) {
            for (int i = 0; i < dataCount; i++) {
                access(cpu, data[i]);
                if (cpu.pending != Processor.NOTHING) {
                    return cpu.abort(this);
                }
            }
            waiting = false;
            return null;
        }

        private void access(Processor cpu, MemoryReference reference) {
            for (int done = 0; done < reference.sizeBytes && cpu.pending == Processor.NOTHING; ) {
                int left = reference.sizeBytes - done;
                int size = left >= 8 ? 8 : Integer.highestOneBit(left);
                long linear = reference.linear + done;
                switch (reference.kind) {
                    case LOAD -> cpu.mem.slow().load(linear, size);
                    case STORE -> cpu.mem.slow().store(linear, size, 0);
                    case MODIFY -> modify(cpu, linear, size);
                    case FETCH -> throw new AssertionError("a fetch among the data of an instruction");
                }
                done += size;
            }
        }

        private void modify(Processor cpu, long linear, int size) {
            cpu.mem.slow().loadForUpdate(linear, size, false);
            if (cpu.pending == Processor.NOTHING) {
                cpu.mem.slow().completeUpdate(0);
            }
        }
    }
}
