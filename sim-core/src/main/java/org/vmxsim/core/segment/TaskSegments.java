package org.vmxsim.core.segment;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Event;
import org.vmxsim.core.cpu.Processor;

/**
 * The segment registers of a new task, loaded behind the commit point of the switch. SDM table "Exception Conditions
 * Checked During a Task Switch"; of the order, which the manual calls model-specific, this is that of the P6 family,
 * but that the LDT is checked wholly before descriptors are read from it. Registers not loaded when a check fails have
 * their selectors and cannot be used.
 */
final class TaskSegments {
    private final Processor cpu;
    private final TaskImage image;
    private final int ext;
    private long code;
    private long stack;

    TaskSegments(Processor cpu, TaskImage image, int ext) {
        this.cpu = cpu;
        this.image = image;
        this.ext = ext;
    }

    /** Loads LDTR and all segment registers, or leaves the fault of the first that is wrong. */
    void load() {
        if (!loadLdt()) {
            return;
        }
        if (image.isVirtual8086()) {
            for (int i = CpuState.ES; i <= CpuState.GS; i++) {
                SegmentLoad.loadVirtual8086(cpu.segments[i], image.selectors[i]);
            }
        } else if (checkCodePrivilege() && checkStack() && checkCode()) {
            fill(CpuState.CS, code);
            fill(CpuState.SS, stack);
            for (int segment : new int[] {CpuState.DS, CpuState.ES, CpuState.FS, CpuState.GS}) {
                loadData(segment);
            }
        }
        cpu.modeChanged();
    }

    private boolean fail(int vector, int selector) {
        cpu.raise(vector, selector & 0xfffc | ext);
        return false;
    }

    private boolean loadLdt() {
        int selector = image.selectors[CpuState.LDTR];
        if (Descriptors.isNull(selector)) {
            return true;
        }
        long address = (selector & 4) != 0 ? -1 : Descriptors.address(cpu, selector, 8);
        if (address == -1) {
            return fail(Descriptors.INVALID_TSS, selector);
        }
        long descriptor = cpu.mem.slow().loadSystem(address, 8);
        if (cpu.pending != Processor.NOTHING) {
            return false;
        }
        if (Descriptors.type(descriptor) != Descriptors.LDT || !Descriptors.isPresent(descriptor)) {
            return fail(Descriptors.INVALID_TSS, selector);
        }
        Descriptors.fill(cpu.segments[CpuState.LDTR], selector, descriptor);
        return true;
    }

    private long read(int selector) {
        if (Descriptors.isNull(selector)) {
            fail(Descriptors.INVALID_TSS, selector);
            return 0;
        }
        return Descriptors.read(cpu, selector, Descriptors.INVALID_TSS, ext);
    }

    /** "If the code segment is non-conforming, its DPL should equal its RPL"; conforming: "less than or equal". */
    private boolean checkCodePrivilege() {
        int selector = image.selectors[CpuState.CS];
        code = read(selector);
        if (cpu.pending != Processor.NOTHING) {
            return false;
        }
        int dpl = Descriptors.dpl(code);
        int rpl = selector & 3;
        boolean good = Descriptors.isCode(code) && (Descriptors.isConforming(code) ? dpl <= rpl : dpl == rpl);
        return good || fail(Descriptors.INVALID_TSS, selector);
    }

    private boolean checkStack() {
        int selector = image.selectors[CpuState.SS];
        stack = read(selector);
        if (cpu.pending != Processor.NOTHING) {
            return false;
        }
        if (!Descriptors.isWritableData(stack)) {
            return fail(Descriptors.INVALID_TSS, selector);
        }
        if (!Descriptors.isPresent(stack)) {
            return fail(Event.STACK_FAULT, selector);
        }
        boolean good = Descriptors.dpl(stack) == cpu.cpl && (selector & 3) == cpu.cpl;
        return good || fail(Descriptors.INVALID_TSS, selector);
    }

    private boolean checkCode() {
        return Descriptors.isPresent(code) || fail(Descriptors.NOT_PRESENT, image.selectors[CpuState.CS]);
    }

    private void loadData(int segment) {
        int selector = image.selectors[segment];
        if (cpu.pending != Processor.NOTHING || Descriptors.isNull(selector)) {
            return;
        }
        long descriptor = Descriptors.read(cpu, selector, Descriptors.INVALID_TSS, ext);
        if (cpu.pending != Processor.NOTHING) {
            return;
        }
        if (!SegmentLoad.dataIsGood(cpu, selector, descriptor)) {
            fail(Descriptors.INVALID_TSS, selector);
        } else if (!Descriptors.isPresent(descriptor)) {
            fail(Descriptors.NOT_PRESENT, selector);
        } else {
            fill(segment, descriptor);
        }
    }

    private void fill(int segment, long descriptor) {
        int selector = image.selectors[segment];
        long marked = Descriptors.markAccessed(cpu, selector, descriptor);
        if (cpu.pending == Processor.NOTHING) {
            Descriptors.fill(cpu.segments[segment], selector, marked);
        }
    }
}
