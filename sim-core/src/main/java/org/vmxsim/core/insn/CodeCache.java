package org.vmxsim.core.insn;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.SegmentRegister;
import org.vmxsim.core.memory.CodePages;
import org.vmxsim.core.memory.PhysicalMemory;

/**
 * The decoded instructions of one processor, by host-physical page and code size. Handlers of a page find each other by
 * links; pages are entered through {@link #at}, which remembers recent entries by linear address.
 *
 * <p>A write to a page with decoded code drops the page and stops the processor at the next instruction boundary, so
 * that it looks up anew. Translations are never remembered longer than {@code MemoryUnit.stamp()} allows. Pages that
 * are not RAM, or not wholly inside the code segment, are decoded anew for each instruction.
 */
public final class CodeCache extends Handler.Source implements CodePages.Listener {
    /** Decoded instructions at which everything is dropped, so that a guest cannot fill the host's memory. */
    public static final int MAX_INSTRUCTIONS = 1 << 20;

    private static final int ENTRIES = 1 << 12;
    private static final int RECENT_PAGES = 1 << 8;
    private static final int MODES = 3;
    /** Kinds of pages: the modes, without and with control-flow enforcement. */
    private static final int KINDS = 2 * MODES;

    private static final int ENFORCED = CpuState.SHADOW_STACK | CpuState.ENDBRANCH;
    private static final int KEY_BITS = 5;
    private static final int[] CODE_BITS = {16, 32, 64};
    private static final long LINEAR_32 = 0xffff_ffffL;
    private static final int PAGE_BYTES = 0x1000;
    private static final int GP = 13;

    private final Processor cpu;
    private final PhysicalMemory memory;
    private final InstructionReader reader;
    private final Map<Long, CodePage> pages = new HashMap<>();
    /** Pages asked for lately, in front of {@link #pages}; those not live any more are not in there. */
    private final CodePage[] recentPages = new CodePage[RECENT_PAGES];

    private final long[] recentKeys = new long[RECENT_PAGES];
    private final long[] entryRips = new long[ENTRIES];
    private final long[] entryStamps = new long[ENTRIES];
    private final Handler[] entryHandlers = new Handler[ENTRIES];
    private final CodePage[] entryPages = new CodePage[ENTRIES];
    private int decoded;
    private boolean remembersEntries = true;
    private long segmentBase;
    private int segmentLimit;

    /**
     * An empty cache.
     *
     * @param cpu the processor that executes
     * @param memory where the code lies; the cache listens to its writes from now on
     * @param system who makes handlers of system instructions
     */
    public CodeCache(Processor cpu, PhysicalMemory memory, HandlerFactory system) {
        this.cpu = cpu;
        this.memory = memory;
        this.reader = new InstructionReader(this, memory, cpu.model, system);
        memory.codePages().addListener(this);
    }

    /**
     * Whether entries into pages may be remembered. The cycle engine says no: there each entry is translated, since the
     * translation costs time.
     *
     * @param remember true to remember
     */
    public void rememberEntries(boolean remember) {
        remembersEntries = remember;
        Arrays.fill(entryHandlers, null);
    }

    /**
     * The handler at {@code cpu.rip}.
     *
     * @param processor the processor that the cache was made for
     * @return the handler, or null if the fetch left something pending
     */
    @Override
    public Handler at(Processor processor) {
        long rip = processor.rip;
        int i = (int) (rip ^ rip >>> 12) & ENTRIES - 1;
        Handler handler = entryHandlers[i];
        if (handler != null
                && entryRips[i] == rip
                && entryStamps[i] == stamp(processor)
                && entryPages[i].live
                && sameSegment(processor)) {
            processor.codeBase = rip - handler.pageOffset;
            processor.codeFrame = entryPages[i].pfn << 12;
            return handler;
        }
        return find(i);
    }

    private static long stamp(Processor processor) {
        return processor.mem.stamp() << KEY_BITS | processor.codeKey;
    }

    /** Whether the code that a processor executes now is under control-flow enforcement. */
    static boolean isEnforced(Processor processor) {
        return (processor.codeKey & ENFORCED) != 0;
    }

    private int kind() {
        return cpu.mode + (isEnforced(cpu) ? MODES : 0);
    }

    private boolean sameSegment(Processor processor) {
        if (processor.mode == Processor.CODE_64) {
            return true;
        }
        SegmentRegister cs = processor.segments[CpuState.CS];
        return cs.base == segmentBase && cs.limit == segmentLimit;
    }

    private Handler find(int entry) {
        long rip = cpu.rip;
        boolean is64 = cpu.mode == Processor.CODE_64;
        SegmentRegister cs = cpu.segments[CpuState.CS];
        if (!is64 && rip > (cs.limit & LINEAR_32)) {
            cpu.raise(GP, 0);
            return null;
        }
        long linear = is64 ? rip : cs.base + rip & LINEAR_32;
        long hpa = cpu.mem.fetchAddress(linear);
        if (cpu.pending != Processor.NOTHING) {
            return null;
        }
        int offset = (int) linear & PAGE_BYTES - 1;
        cpu.codeBase = rip - offset;
        cpu.codeFrame = hpa - offset;
        if (!memory.isRam(hpa) || !is64 && !wholePage(cs.limit & LINEAR_32)) {
            Handler single = reader.single(cpu, hpa, CODE_BITS[cpu.mode]);
            return single == null ? null : landing(single);
        }
        if (is64 && isSameCode(entry, rip, hpa >>> 12)) {
            entryStamps[entry] = stamp(cpu);
            return entryHandlers[entry];
        }
        CodePage page = page(hpa >>> 12, kind());
        Handler found = at(page, offset);
        Handler handler = landing(found);
        if (remembersEntries && handler == found) {
            remember(entry, rip, handler, page);
        }
        return handler;
    }

    /** Whether an entry that was remembered under another translation leads to the same bytes of the same page. */
    private boolean isSameCode(int entry, long rip, long pfn) {
        return entryHandlers[entry] != null
                && entryRips[entry] == rip
                && entryPages[entry].live
                && entryPages[entry].pfn == pfn
                && (entryStamps[entry] & (1 << KEY_BITS) - 1) == cpu.codeKey;
    }

    /** What is executed in place of a handler while the tracker of indirect branches waits: itself if it is a pad. */
    private Handler landing(Handler handler) {
        boolean waits = (cpu.codeKey & CpuState.WAITING) != 0;
        return waits && !handler.isLandingPad() ? new Landing(handler) : handler;
    }

    private void remember(int entry, long rip, Handler handler, CodePage page) {
        if (!sameSegment(cpu)) {
            Arrays.fill(entryHandlers, null);
            segmentBase = cpu.segments[CpuState.CS].base;
            segmentLimit = cpu.segments[CpuState.CS].limit;
        }
        entryRips[entry] = rip;
        entryStamps[entry] = stamp(cpu);
        entryHandlers[entry] = handler;
        entryPages[entry] = page;
    }

    /** Whether every offset of the current page is inside the code segment, and needs no wrap-around. */
    private boolean wholePage(long limit) {
        long last = cpu.codeBase + PAGE_BYTES - 1;
        return cpu.codeBase >= 0 && last <= limit && (cpu.mode == Processor.CODE_32 || last <= 0xffff);
    }

    /** The page around an address; one that is not RAM gives a page that is never live. */
    CodePage frame(long hpa) {
        if (memory.isRam(hpa)) {
            return page(hpa >>> 12, kind());
        }
        CodePage page = new CodePage(hpa >>> 12, CODE_BITS[cpu.mode], isEnforced(cpu));
        page.live = false;
        return page;
    }

    /** The page of a frame; made, and marked as code, when first asked for. */
    private CodePage page(long pfn, int kind) {
        long key = pfn * KINDS + kind;
        int recent = (int) (key ^ key >>> 8) & RECENT_PAGES - 1;
        CodePage page = recentPages[recent];
        if (page != null && recentKeys[recent] == key && page.live) {
            return page;
        }
        page = pages.get(key);
        if (page == null) {
            page = new CodePage(pfn, CODE_BITS[kind % MODES], kind >= MODES);
            pages.put(key, page);
            memory.codePages().mark(pfn);
        }
        recentPages[recent] = page;
        recentKeys[recent] = key;
        return page;
    }

    /** The handler at an offset of a page, decoded when first asked for. */
    Handler at(CodePage page, int offset) {
        Handler handler = page.at(offset);
        if (handler == null) {
            if (++decoded > MAX_INSTRUCTIONS) {
                dropAll();
            }
            handler = reader.inPage(page, offset);
            page.place(offset, handler);
        }
        return handler;
    }

    /** How many instructions are decoded now. */
    int decodedInstructions() {
        return decoded;
    }

    private void dropAll() {
        pages.values().forEach(page -> page.live = false);
        pages.clear();
        decoded = 0;
        cpu.attention();
    }

    @Override
    public void codePageWritten(long pfn) {
        for (int kind = 0; kind < KINDS; kind++) {
            CodePage page = pages.remove(pfn * KINDS + kind);
            if (page != null) {
                page.live = false;
                cpu.attention();
            }
        }
    }
}
