package org.vmxsim.mmu.emulation;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.vmxsim.mmu.guest.GuestVmcs;
import org.vmxsim.mmu.guest.VmMemory;
import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.mmu.track.Mappings;
import org.vmxsim.mmu.track.PageTracking;
import org.vmxsim.mmu.track.TrackMode;
import org.vmxsim.mmu.track.TrackedAccess;
import org.vmxsim.mmu.view.GrantedPages;
import org.vmxsim.vmx.control.PrimaryControls;

/**
 * One instruction, or one delivery of an event, that the processor does itself on pages that are restricted otherwise:
 * the pages lose their restrictions, the monitor trap flag brings the vCPU back behind the instruction, and the
 * restrictions return. No other vCPU runs in between. Also remembers whether the caller wants to come back after each
 * instruction, which is done with the same flag.
 */
public final class ProcessorStep {
    /** A write-tracked page that is about to be written without emulation: the trackers are told what has changed. */
    private record Snapshot(Memslot slot, long gfn, byte[] before) {}

    private final int vcpu;
    private final GuestVmcs vmcs;
    private final GrantedPages granted;
    private final Mappings mappings;
    private final PageTracking tracking;
    private final List<Snapshot> snapshots = new ArrayList<>();
    private final List<Memslot> slots = new ArrayList<>();
    private VmMemory memory;
    private boolean wanted;
    private boolean wantedOnce;

    /**
     * No step under way.
     *
     * @param vcpu number of the vCPU
     * @param vmcs its VMCS
     * @param granted the virtual machine's pages without restrictions
     * @param mappings what to do when permissions of a page change
     * @param tracking its tracked pages
     */
    public ProcessorStep(int vcpu, GuestVmcs vmcs, GrantedPages granted, Mappings mappings, PageTracking tracking) {
        this.vcpu = vcpu;
        this.vmcs = vmcs;
        this.granted = granted;
        this.mappings = mappings;
        this.tracking = tracking;
    }

    /**
     * Whether the caller wants to come back after each instruction.
     *
     * @return as set by {@link #isWanted(boolean)}
     */
    public boolean isWanted() {
        return wanted;
    }

    /**
     * Sets whether the caller wants to come back after each instruction.
     *
     * @param on true if it does
     */
    public void isWanted(boolean on) {
        wanted = on;
        vmcs.primary(PrimaryControls.MONITOR_TRAP_FLAG, wanted || isActive());
    }

    /** The caller wants to come back when the instruction that is under way is done. */
    public void tellOnce() {
        wantedOnce = true;
    }

    /** The instruction that the caller wanted to come back behind will not be done under these eyes. */
    public void forget() {
        wantedOnce = false;
    }

    /**
     * Whether the caller wants to come back when the instruction that is under way is done.
     *
     * @return true from {@link #tellOnce} to {@link #done} or {@link #forget}
     */
    public boolean tellsOnce() {
        return wantedOnce;
    }

    /**
     * The instruction is done, by the processor or in its place.
     *
     * @return whether the caller wants to come back now
     */
    public boolean done() {
        boolean tells = wanted || wantedOnce;
        wantedOnce = false;
        end();
        return tells;
    }

    /**
     * Whether a step is under way.
     *
     * @return true between {@link #begin} and {@link #end}
     */
    public boolean isActive() {
        return !slots.isEmpty();
    }

    /**
     * Lifts the restrictions of a page for the next instruction. Called again for each page that it needs.
     *
     * @param memoryOfVcpu guest-physical memory as the vCPU sees it
     * @param slot the memslot
     * @param gfn the guest frame
     */
    public void begin(VmMemory memoryOfVcpu, Memslot slot, long gfn) {
        if (granted.contains(gfn)) {
            return;
        }
        memory = memoryOfVcpu;
        // Without memory behind the page the step ends where it began, at the exit that says so.
        if (tracking.isActive(slot, gfn, TrackMode.WRITE) && memory.hpa(gfn << 12) != VmMemory.NONE) {
            snapshots.add(new Snapshot(slot, gfn, memory.read(gfn << 12, 0x1000)));
        }
        granted.add(gfn);
        slots.add(slot);
        mappings.zap(slot, gfn, gfn);
        vmcs.primary(PrimaryControls.MONITOR_TRAP_FLAG, true);
    }

    /** Restores the restrictions, if a step is under way, and tells trackers what it wrote. */
    public void end() {
        if (!isActive()) {
            return;
        }
        List<Memslot> stepped = List.copyOf(slots);
        long[] gfns = granted.take();
        slots.clear();
        for (int i = 0; i < gfns.length; i++) {
            mappings.zap(stepped.get(i), gfns[i], gfns[i]);
        }
        vmcs.primary(PrimaryControls.MONITOR_TRAP_FLAG, wanted);
        List<Snapshot> taken = List.copyOf(snapshots);
        snapshots.clear();
        taken.forEach(this::tell);
    }

    /** One call for each aligned 8 bytes that have changed. */
    private void tell(Snapshot snapshot) {
        long gpa = snapshot.gfn() << 12;
        ByteBuffer before = ByteBuffer.wrap(snapshot.before()).order(ByteOrder.LITTLE_ENDIAN);
        ByteBuffer after = ByteBuffer.wrap(memory.read(gpa, 0x1000)).order(ByteOrder.LITTLE_ENDIAN);
        TrackedAccess told = new TrackedAccess();
        for (int i = 0; i < after.capacity(); i += 8) {
            long value = after.getLong(i);
            if (value != before.getLong(i)) {
                tracking.written(snapshot.slot(), told.set(vcpu, gpa + i, 0, 8).writing(value));
            }
        }
    }
}
