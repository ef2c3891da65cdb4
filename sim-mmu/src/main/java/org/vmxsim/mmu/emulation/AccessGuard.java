package org.vmxsim.mmu.emulation;

import java.util.Arrays;
import org.vmxsim.core.emulation.EmulationMemory;
import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.mmu.track.PageTracker;
import org.vmxsim.mmu.track.PageTracking;
import org.vmxsim.mmu.track.TrackMode;
import org.vmxsim.mmu.track.TrackedAccess;
import org.vmxsim.mmu.view.GrantedPages;
import org.vmxsim.mmu.view.ViewAccess;
import org.vmxsim.mmu.view.Views;
import org.vmxsim.vmx.ept.EptViolation;

/**
 * Asks about the accesses of one emulated instruction whom they concern: the handler of the view's overlay, and the
 * trackers of tracked pages. Nobody is asked twice about the same: what was allowed stays allowed until the instruction
 * is through, also when it is executed again from its start because a device has to answer first.
 */
public final class AccessGuard {
    /** What has come of asking. */
    public enum Verdict {
        /** The instruction may complete. */
        ALLOWED,
        /** Nothing of it happens; the guest executes it again. */
        RETRY,
        /** The processor itself is to execute it, with the page of {@link #denied} unrestricted. */
        STEP,
        /** The vCPU's caller is to decide about {@link #denied}. */
        EXIT
    }

    private static final int ACCESS = EmulationMemory.READ | EmulationMemory.WRITE | EmulationMemory.FETCH;
    /** Of an entry of {@link #allowed}: trackers were told that the page is executed. */
    private static final int FETCH_TOLD = 8;

    private static final int GFN_SHIFT = 4;

    private final int vcpu;
    private final Views views;
    private final PageTracking tracking;
    private final GrantedPages granted;
    private final TrackedAccess told = new TrackedAccess();
    /** Guest frames and what was allowed there, {@link #ACCESS} bits and {@link #FETCH_TOLD}. */
    private long[] allowed = new long[8];

    private int allowedCount;
    /** Data of the reads and writes that trackers were asked about, in their order. */
    private long[] answers = new long[8];

    private int answered;
    private int met;
    /** Pairs: guest-physical page, and the linear page that led there last. */
    private long[] located = new long[16];

    private int locatedCount;
    private final GivenReads given = new GivenReads();
    /** Everything is allowed, until the next instruction begins. */
    private boolean everything;

    private int view;
    private boolean steps = true;
    private Verdict verdict = Verdict.ALLOWED;
    private ViewAccess denied;

    /**
     * A guard that has asked nobody yet.
     *
     * @param vcpu number of the vCPU
     * @param views the virtual machine's views
     * @param tracking its tracked pages
     * @param granted its pages without restrictions
     */
    public AccessGuard(int vcpu, Views views, PageTracking tracking, GrantedPages granted) {
        this.vcpu = vcpu;
        this.views = views;
        this.tracking = tracking;
        this.granted = granted;
    }

    /**
     * A new instruction. Pages that the processor may access without restrictions while it steps are allowed from the
     * start: it was asked about them for the same instruction.
     *
     * @param newView the vCPU's view
     * @param canStep whether the processor itself may execute it; if not, what is to be stepped is emulated
     */
    public void begin(int newView, boolean canStep) {
        allowedCount = 0;
        everything = false;
        given.clear();
        for (long gfn : granted.gfns()) {
            allow(gfn, ACCESS);
        }
        begin();
        view = newView;
        steps = canStep;
    }

    /** The next iteration of an instruction all of whose iterations are allowed. */
    public void iterate() {
        begin();
    }

    private void begin() {
        answered = 0;
        again();
    }

    /** The same instruction from its start. */
    public void again() {
        met = 0;
        locatedCount = 0;
        verdict = Verdict.ALLOWED;
        denied = null;
    }

    /**
     * The same instruction from its start, with the access that it stopped at allowed by the vCPU's caller, as well as
     * what was allowed before.
     *
     * @param access what {@link #denied} was
     */
    public void allow(ViewAccess access) {
        allow(access.gpa() >>> 12, access.access());
        begin();
    }

    /**
     * Has the instruction read other data than memory has, until it is through.
     *
     * @param gla guest-linear address of the first byte
     * @param bytes the data
     */
    public void give(long gla, byte... bytes) {
        given.add(gla, bytes);
    }

    /** Allows whatever else overlays deny, until the next instruction begins. */
    public void allowEverything() {
        everything = true;
    }

    /**
     * The pages where something was allowed since the instruction began.
     *
     * @return guest frames, some perhaps more than once
     */
    public long[] allowedGfns() {
        return Arrays.stream(allowed, 0, allowedCount)
                .map(entry -> entry >>> GFN_SHIFT)
                .toArray();
    }

    private void allow(long gfn, int bits) {
        if (allowedCount == allowed.length) {
            allowed = Arrays.copyOf(allowed, 2 * allowedCount);
        }
        allowed[allowedCount++] = gfn << GFN_SHIFT | bits;
    }

    private boolean isAllowed(long gfn, int bits) {
        int left = bits;
        for (int i = 0; i < allowedCount; i++) {
            left &= allowed[i] >>> GFN_SHIFT == gfn ? ~(int) allowed[i] : -1;
        }
        return left == 0;
    }

    /**
     * What has come of asking since the instruction began.
     *
     * @return the verdict
     */
    public Verdict verdict() {
        return verdict;
    }

    /**
     * The access that the verdict is about.
     *
     * @return an access that the overlay denies; null for {@link Verdict#ALLOWED} and where trackers want a retry
     */
    public ViewAccess denied() {
        return denied;
    }

    /**
     * Asks about one part of an access before it is made.
     *
     * @param slot the memslot whose memory it is
     * @param gpa guest-physical address of the first byte
     * @param behind the same byte in the page whose memory it is
     * @param gla guest-linear address of the first byte
     * @param kind bits of {@link EmulationMemory#locate}
     * @return false if the instruction is to be abandoned
     */
    public boolean locate(Memslot slot, long gpa, long behind, long gla, int kind) {
        boolean walk = (kind & EmulationMemory.WALK) != 0;
        ViewAccess.Source source = walk ? ViewAccess.Source.PAGING_STRUCTURE : ViewAccess.Source.INSTRUCTION;
        if (!overlayAllows(gpa, gla, kind & ACCESS, source)) {
            return false;
        }
        remember(behind, gla);
        return (kind & EmulationMemory.FETCH) == 0 || fetch(slot, behind, gla);
    }

    private boolean overlayAllows(long gpa, long gla, int access, ViewAccess.Source source) {
        long gfn = gpa >>> 12;
        int missing = access & ~views.permissions(view, gfn);
        if (missing == 0 || everything || isAllowed(gfn, missing)) {
            return true;
        }
        if (granted.contains(gfn)) {
            // The grant may end before the instruction does, where a device has to answer first.
            allow(gfn, missing);
            return true;
        }
        denied = new ViewAccess(vcpu, view, gpa, gla, access, source);
        verdict = switch (views.ask(denied)) {
            case CONTINUE -> Verdict.ALLOWED;
            case STEP -> steps ? Verdict.STEP : Verdict.ALLOWED;
            case RETRY -> Verdict.RETRY;
            case EXIT -> Verdict.EXIT;
        };
        if (verdict == Verdict.ALLOWED) {
            denied = null;
            allow(gfn, access);
        }
        return verdict == Verdict.ALLOWED;
    }

    private boolean fetch(Memslot slot, long gpa, long gla) {
        long gfn = gpa >>> 12;
        if (!tracks(slot, gfn, TrackMode.PREEXEC) || isAllowed(gfn, FETCH_TOLD)) {
            return true;
        }
        if (tracking.before(TrackMode.PREEXEC, slot, told.set(vcpu, gpa, gla, 1)) == PageTracker.Answer.RETRY) {
            verdict = Verdict.RETRY;
            return false;
        }
        allow(gfn, FETCH_TOLD);
        return true;
    }

    private boolean tracks(Memslot slot, long gfn, TrackMode mode) {
        return tracking.isActive(slot, gfn, mode) && !granted.contains(gfn);
    }

    private void remember(long gpa, long gla) {
        if (locatedCount == located.length) {
            located = Arrays.copyOf(located, 2 * locatedCount);
        }
        located[locatedCount++] = gpa & ~0xfffL;
        located[locatedCount++] = gla & ~0xfffL;
    }

    private long linear(long gpa) {
        for (int i = locatedCount - 2; i >= 0; i -= 2) {
            if (located[i] == (gpa & ~0xfffL)) {
                return located[i + 1] | gpa & 0xfff;
            }
        }
        throw new AssertionError("an access was not located, gpa=0x" + Long.toHexString(gpa));
    }

    /**
     * What memory has, or seems to have because other data was given.
     *
     * @param gpa guest-physical address of the first byte
     * @param sizeBytes 1 to 8
     * @param value what it has
     * @return what the instruction is to find
     */
    long found(long gpa, int sizeBytes, long value) {
        return given.isEmpty() ? value : given.over(linear(gpa), sizeBytes, value);
    }

    /**
     * Data is loaded.
     *
     * @param slot the memslot
     * @param gpa guest-physical address of the first byte
     * @param sizeBytes 1 to 8
     * @param value what memory has
     * @return what the instruction gets
     */
    public long load(Memslot slot, long gpa, int sizeBytes, long value) {
        return tracked(TrackMode.PREREAD, slot, gpa, sizeBytes, value);
    }

    /**
     * Data is stored, for now in front of memory.
     *
     * @param slot the memslot
     * @param gpa guest-physical address of the first byte
     * @param sizeBytes 1 to 8
     * @param value what is stored
     */
    public void store(Memslot slot, long gpa, int sizeBytes, long value) {
        tracked(TrackMode.PREWRITE, slot, gpa, sizeBytes, value);
    }

    private long tracked(TrackMode mode, Memslot slot, long gpa, int sizeBytes, long value) {
        if (!tracks(slot, gpa >>> 12, mode) || verdict != Verdict.ALLOWED) {
            return value;
        }
        if (met < answered) {
            return answers[met++];
        }
        told.set(vcpu, gpa, linear(gpa), sizeBytes);
        if (mode == TrackMode.PREWRITE) {
            told.writing(value);
        }
        if (tracking.before(mode, slot, told) == PageTracker.Answer.RETRY) {
            verdict = Verdict.RETRY;
            return value;
        }
        if (answered == answers.length) {
            answers = Arrays.copyOf(answers, 2 * answered);
        }
        met++;
        answers[answered++] = mode == TrackMode.PREREAD ? told.merged(value) : value;
        return answers[answered - 1];
    }

    /**
     * Data has been stored.
     *
     * @param slot the memslot
     * @param gpa guest-physical address of the first byte
     * @param sizeBytes 1 to 8
     * @param value what was stored
     */
    public void written(Memslot slot, long gpa, int sizeBytes, long value) {
        if (tracking.isActive(slot, gpa >>> 12, TrackMode.WRITE)) {
            tracking.written(
                    slot, told.set(vcpu, gpa, linear(gpa), sizeBytes).writing(value & -1L >>> 64 - 8 * sizeBytes));
        }
    }

    /**
     * Asks about an access that the processor made while it delivered an event. Nothing can be emulated then: what is
     * allowed, the processor is to do itself.
     *
     * @param slot the memslot
     * @param gpa guest-physical address
     * @param gla guest-linear address, or 0
     * @param violation what the processor said of it
     */
    public void delivery(Memslot slot, long gpa, long gla, EptViolation violation) {
        int access = violation.access();
        ViewAccess.Source source =
                violation.finalAccess() ? ViewAccess.Source.EVENT_DELIVERY : ViewAccess.Source.PAGING_STRUCTURE;
        if (!overlayAllows(gpa, gla, access, source)) {
            return;
        }
        boolean reads = (access & EmulationMemory.READ) != 0;
        boolean writes = (access & EmulationMemory.WRITE) != 0;
        boolean retry = reads && retries(TrackMode.PREREAD, slot, gpa, gla);
        retry |= writes && retries(TrackMode.PREWRITE, slot, gpa, gla);
        verdict = retry ? Verdict.RETRY : Verdict.STEP;
    }

    private boolean retries(TrackMode mode, Memslot slot, long gpa, long gla) {
        return tracking.before(mode, slot, told.set(vcpu, gpa, gla, 1)) == PageTracker.Answer.RETRY;
    }
}
