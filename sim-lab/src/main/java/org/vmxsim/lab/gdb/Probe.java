package org.vmxsim.lab.gdb;

import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.Set;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.debug.ExternalDebugger;

/** What a debugger has asked for, as one processor meets it. All processors share the lists. */
final class Probe implements ExternalDebugger {
    /** Kinds of breakpoints, numbered as in packets Z0 to Z4. */
    static final int SOFTWARE = 0;

    static final int HARDWARE = 1;
    static final int WRITE = 2;
    static final int READ = 3;
    static final int ACCESS = 4;

    private static final long PAGE = ~0xfffL;

    /** A breakpoint or watchpoint. */
    record Point(int kind, long address, int sizeBytes) {
        boolean isOnCode() {
            return kind <= HARDWARE;
        }

        boolean meets(long linear, int bytes, boolean write) {
            boolean wanted = kind == ACCESS || kind == (write ? WRITE : READ);
            // the differences are right across the ends of the address space too
            boolean overlaps = Long.compareUnsigned(linear - address, sizeBytes) < 0
                    || Long.compareUnsigned(address - linear, bytes) < 0;
            return wanted && overlaps;
        }
    }

    /** All points of a session. */
    static final class Points {
        private final Set<Point> all = new LinkedHashSet<>();
        private final Set<Long> code = new HashSet<>();

        boolean add(Point point) {
            boolean added = all.add(point);
            index();
            return added;
        }

        boolean remove(Point point) {
            boolean removed = all.remove(point);
            index();
            return removed;
        }

        void clear() {
            all.clear();
            index();
        }

        int count() {
            return all.size();
        }

        private void index() {
            code.clear();
            all.stream().filter(Point::isOnCode).forEach(point -> code.add(point.address));
        }

        private boolean watches() {
            return code.size() < all.size() && all.stream().anyMatch(point -> !point.isOnCode());
        }
    }

    private final Processor cpu;
    private final Points points;
    private boolean watching;
    private boolean stepping;
    private boolean resumed;
    private long startRetired;
    private long startRip;
    private Point met;
    private long metAt;
    private boolean stopped;

    Probe(Processor cpu, Points points) {
        this.cpu = cpu;
        this.points = points;
        pointsChanged();
    }

    /** The lists have changed: no page may be remembered as free of watchpoints. */
    void pointsChanged() {
        watching = points.watches();
        cpu.breakpoints.debugger(this);
        cpu.attention();
    }

    void disconnect() {
        cpu.breakpoints.debugger(null);
        cpu.attention();
    }

    /** The run goes on. A processor that was stopped here passes a breakpoint at its instruction. */
    void resume(boolean step, boolean passes) {
        stepping = step;
        resumed = passes;
        startRetired = cpu.retired;
        startRip = cpu.rip;
        met = null;
        stopped = false;
        cpu.attention();
    }

    /** Whether this processor has ended the run. */
    boolean stopped() {
        return stopped;
    }

    /** What it has met, or null after a step. */
    Point met() {
        return met;
    }

    /** The address that an access has met a watchpoint at. */
    long metAt() {
        return metAt;
    }

    @Override
    public boolean watchesInstructions() {
        return stepping || !points.code.isEmpty();
    }

    @Override
    public boolean stopsBefore(long linear) {
        boolean moved = cpu.retired != startRetired || cpu.rip != startRip;
        boolean passes = resumed && !moved;
        if (met == null && !passes && points.code.contains(linear)) {
            met = pointAt(linear);
            metAt = linear;
        }
        stopped |= met != null || stepping && moved;
        return stopped;
    }

    private Point pointAt(long linear) {
        return points.all.stream()
                .filter(point -> point.isOnCode() && point.address == linear)
                .findFirst()
                .orElseThrow(() -> new AssertionError("no breakpoint at 0x" + Long.toHexString(linear)));
    }

    @Override
    public boolean watchesData() {
        return watching;
    }

    @Override
    public boolean watchesPage(long linear) {
        if (!watching) {
            return false;
        }
        for (Point point : points.all) {
            // a watchpoint may reach over several pages
            long first = point.address & PAGE;
            long last = point.address + point.sizeBytes - 1 & PAGE;
            if (!point.isOnCode() && Long.compareUnsigned((linear & PAGE) - first, last - first) <= 0) {
                return true;
            }
        }
        return false;
    }

    @Override
    public boolean accessed(long linear, int sizeBytes, boolean write) {
        for (Point point : points.all) {
            if (met == null && !point.isOnCode() && point.meets(linear, sizeBytes, write)) {
                met = point;
                metAt = Long.compareUnsigned(point.address - linear, sizeBytes) < 0 ? point.address : linear;
            }
        }
        return met != null;
    }
}
