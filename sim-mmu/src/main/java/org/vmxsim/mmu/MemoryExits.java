package org.vmxsim.mmu;

import org.vmxsim.mmu.VcpuExit.DeniedAccess;
import org.vmxsim.mmu.VcpuExit.InternalError;
import org.vmxsim.mmu.VcpuExit.Suberror;
import org.vmxsim.mmu.abi.Errno;
import org.vmxsim.mmu.abi.KvmResult;
import org.vmxsim.mmu.ept.MapOutcome;
import org.vmxsim.mmu.guest.VmMemory;
import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.mmu.spp.SppProfile;
import org.vmxsim.mmu.trace.VcpuCounter;
import org.vmxsim.mmu.upkeep.DeliveryWrite;
import org.vmxsim.vmx.ept.EptViolation;
import org.vmxsim.vmx.exit.VmExit;

/** EPT violations and SPP-related events of one vCPU. */
final class MemoryExits {
    private static final long PAGE = ~0xfffL;
    /** SS, RSP, RFLAGS, CS, RIP, an error code, and what aligns them. */
    private static final int MOST_PUSHED_BYTES = 64;

    private static final long SPP_MISS = 1 << 11;
    private static final long NMI_UNBLOCKING = 1 << 12;
    private static final int ACCESSED = 1 << 5;
    private static final int DIRTY = 1 << 6;

    private final Vcpu vcpu;
    private final Vm vm;
    private final Emulation emulation;
    private final DeliveryWrite delivery;

    MemoryExits(Vcpu vcpu, Emulation emulation) {
        this.vcpu = vcpu;
        this.vm = vcpu.vm();
        this.emulation = emulation;
        this.delivery = new DeliveryWrite(vm.mmu());
    }

    VcpuExit violation(VmExit exit) {
        vcpu.tracing().fault(exit);
        keepNmisBlocked(exit);
        EptViolation violation = EptViolation.decode(exit.qualification);
        Memslot slot = vm.slots().at(vcpu.mmu().addressSpace(), exit.gpa >>> 12);
        vcpu.mmu().hold();
        if (slot == null) {
            vcpu.statistics().count(VcpuCounter.PF_EMULATE);
            if (vm.kvm().config().deviceMarks()) {
                vcpu.statistics().count(VcpuCounter.PF_MMIO_SPTE_CREATED);
                vm.mmu().markDevice(vcpu.id(), exit.gpa);
            }
            VcpuExit repeated = vm.subPages().profile() == SppProfile.V4 ? repeatedInV4() : null;
            return repeated == null ? emulation.run() : repeated;
        }
        MapOutcome outcome = vm.mmu().fault(vcpu.id(), slot, exit.gpa, violation.access());
        vcpu.tracing().faulted(outcome);
        if (outcome == MapOutcome.UNJUDGED) {
            return unjudged(exit, violation, slot);
        }
        VcpuExit historic = vm.subPages().profile() == SppProfile.V4 ? afterFaultInV4(exit, violation, outcome) : null;
        if (historic != null) {
            return historic;
        }
        return answer(exit, violation, slot, outcome);
    }

    private VcpuExit answer(VmExit exit, EptViolation violation, Memslot slot, MapOutcome outcome) {
        return switch (outcome) {
            case MAPPED, WRITE_ALLOWED, SPURIOUS -> null;
            case SUB_PAGE ->
                vm.subPages().profile() == SppProfile.V12
                        ? reported(exit, violation)
                        : deniedByProcessor(exit, violation);
            case READ_ONLY -> emulation.run();
            case RESTRICTED -> vcpu.events().hasEvent() ? delivery(slot, exit, violation) : emulation.run();
            case UNMAPPED -> new VcpuExit.MemoryFault(exit.gpa & PAGE, ~PAGE + 1);
            case NO_MEMORY -> noMemory(exit);
            case UNJUDGED -> throw new AssertionError("nobody judges a write, " + exit);
        };
    }

    /** Where two pages' bitmaps count the processor obeys neither, so that a frame has to be allowed as a whole. */
    private VcpuExit delivery(Memslot slot, VmExit exit, EptViolation violation) {
        boolean write = (violation.access() & EptViolation.WRITE) != 0;
        long behind = vcpu.memory().backing(exit.gpa);
        if (write && behind != exit.gpa && !(allowsFrame(exit.gpa) && allowsFrame(behind))) {
            return denied(exit, DeniedAccess.EVENT_DELIVERY);
        }
        return emulation.delivery(slot, exit, violation);
    }

    private boolean allowsFrame(long gpa) {
        long first = Math.max(gpa - MOST_PUSHED_BYTES, gpa & PAGE);
        long end = Math.min(gpa + Long.BYTES, (gpa & PAGE) + ~PAGE + 1);
        return vm.subPages().allowsWrite(first, (int) (end - first));
    }

    /**
     * The write is the first to a page whose writes are logged, and may be denied in part: an instruction is emulated,
     * and the page is open to the next one if it has written there. What the processor writes on its own cannot be: a
     * flag in a paging structure lies in one sub-page, and what an event pushes is taken out of the log if it is
     * denied.
     */
    private VcpuExit unjudged(VmExit exit, EptViolation violation, Memslot slot) {
        boolean event = vcpu.events().hasEvent();
        if (violation.finalAccess() && !event) {
            VcpuExit result = emulation.run();
            if (result == null && slot.isDirty(exit.gpa >>> 12)) {
                vm.mmu().landing(vcpu.id(), slot, exit.gpa, violation.access());
            }
            return result;
        }
        MapOutcome outcome = vm.mmu().landing(vcpu.id(), slot, exit.gpa, violation.access());
        if (event && violation.finalAccess()) {
            delivery.begin(slot, exit.gpa, exit.gla, vcpu.registers().rip(), vcpu.processor().retired);
        }
        return answer(exit, violation, slot, outcome);
    }

    /** The caller runs the vCPU again: what was being delivered has been logged for good. */
    void resume() {
        delivery.forget();
    }

    /**
     * What the series' posting v4 does behind a fault. A denied write skips the instruction, whatever wanted to write
     * and by whatever length the processor gave. Then {@code kvm_mmu_page_fault} takes the exit reason in the page
     * shared with the caller for its own, also if it is still that of the run before.
     */
    private VcpuExit afterFaultInV4(VmExit exit, EptViolation violation, MapOutcome outcome) {
        if (outcome == MapOutcome.SUB_PAGE) {
            DeniedAccess access = violation.finalAccess() ? DeniedAccess.INSTRUCTION : DeniedAccess.PAGING_STRUCTURE;
            vcpu.registers().skipInstruction(exit.instructionLengthBytes);
            VcpuExit.Spp denied = inV4(exit.gpa, vcpu.events().hasEvent() ? DeniedAccess.EVENT_DELIVERY : access);
            vcpu.tracing().denied(denied);
            return denied;
        }
        return repeatedInV4();
    }

    private VcpuExit repeatedInV4() {
        return vcpu.lastReported() instanceof VcpuExit.Spp stale ? inV4(stale.gpa(), stale.access()) : null;
    }

    private VcpuExit.Spp inV4(long gpa, DeniedAccess access) {
        return new VcpuExit.Spp(
                SppProfile.V4.exitNumber(), gpa, 0, vcpu.registers().rip(), 0, access);
    }

    /** SDM "IRET instruction and NMI unblocking": the bit means nothing while an event was being delivered. */
    private void keepNmisBlocked(VmExit exit) {
        if ((exit.qualification & NMI_UNBLOCKING) != 0 && exit.idtVectoringInformation >= 0) {
            vcpu.registers().blockNmis();
        }
    }

    /** SDM "EPT Misconfigurations": none happens by mistake, so it is a page that was found without memslot before. */
    VcpuExit misconfiguration(VmExit exit) {
        vcpu.mmu().hold();
        return switch (vm.mmu().misconfiguration(vcpu.id(), exit.gpa)) {
            case DEVICE -> {
                vcpu.tracing().device(exit);
                yield emulation.run();
            }
            case STALE -> null;
            case BROKEN ->
                new InternalError(
                        Suberror.UNEXPECTED_EXIT_REASON, vcpu.registers().rip(), exit.toString());
        };
    }

    /** SDM "Page-Modification Log-Full Event". The exit itself has emptied the log, so the guest may go on. */
    VcpuExit logFull(VmExit exit) {
        vcpu.tracing().logFull();
        keepNmisBlocked(exit);
        return null;
    }

    private VcpuExit noMemory(VmExit exit) {
        return new InternalError(Suberror.NO_MEMORY, vcpu.registers().rip(), exit.toString());
    }

    /**
     * The processor denied a write to a sub-page protected page. The bitmaps have the last word: the write may touch
     * more sub-pages than that of its first byte, it may be one that the processor never lets the SPPT decide about, or
     * a processor may be stricter than its bitmaps.
     */
    private VcpuExit deniedByProcessor(VmExit exit, EptViolation violation) {
        boolean firstAllowed = vm.subPages().allowsWrite(exit.gpa, 1);
        if (!violation.finalAccess()) {
            return firstAllowed ? setPagingFlag(exit.gpa) : denied(exit, DeniedAccess.PAGING_STRUCTURE);
        }
        if (vcpu.events().hasEvent()) {
            delivery.denied(exit.gla, vcpu.registers().rip(), vcpu.processor().retired);
            return denied(exit, DeniedAccess.EVENT_DELIVERY);
        }
        return firstAllowed ? emulation.run() : denied(exit, DeniedAccess.INSTRUCTION);
    }

    private VcpuExit denied(VmExit exit, DeniedAccess access) {
        boolean instruction = access == DeniedAccess.INSTRUCTION;
        return new VcpuExit.Spp(
                vm.subPages().profile().exitNumber(),
                exit.gpa,
                instruction ? exit.gla : 0,
                vcpu.registers().rip(),
                instruction ? exit.instructionLengthBytes : 0,
                access);
    }

    /** {@code fast_page_fault} of v12: whatever was denied, with the length that the processor gave. */
    private VcpuExit reported(VmExit exit, EptViolation violation) {
        DeniedAccess access = DeniedAccess.INSTRUCTION;
        if (!violation.finalAccess()) {
            access = DeniedAccess.PAGING_STRUCTURE;
        } else if (vcpu.events().hasEvent()) {
            access = DeniedAccess.EVENT_DELIVERY;
        }
        long rip = vcpu.registers().rip();
        return new VcpuExit.Spp(
                SppProfile.V12.exitNumber(), exit.gpa, exit.gla, rip, exit.instructionLengthBytes, access);
    }

    /**
     * Sets the flag for which the processor wanted to write the guest's paging-structure entry: SPP never lets it. The
     * accessed flag first; if that is set already it must have been the dirty flag.
     */
    private VcpuExit setPagingFlag(long entryGpa) {
        VmMemory memory = vcpu.memory();
        long hpa = memory.hpa(entryGpa, true);
        if (hpa == VmMemory.NONE) {
            throw new AssertionError("an armed page has no memory, gpa=0x" + Long.toHexString(entryGpa));
        }
        int low = memory.physical().readByte(hpa);
        int flag = (low & ACCESSED) == 0 ? ACCESSED : DIRTY;
        memory.physical().writeByte(hpa, low | flag);
        memory.slot(entryGpa).markDirty(entryGpa >>> 12);
        return null;
    }

    /** SDM "SPP-Related Events". */
    VcpuExit subPageEvent(VmExit exit) {
        vcpu.tracing().subPageEvent(exit);
        keepNmisBlocked(exit);
        if ((exit.qualification & SPP_MISS) == 0) {
            return new VcpuExit.Unknown(exit.reason.number());
        }
        vcpu.statistics().count(VcpuCounter.SPP_MISSES);
        KvmResult result = vm.subPages().miss(vcpu.id(), exit.gpa);
        if (result.isOk()) {
            return null;
        }
        if (result.oops() != null) {
            return new VcpuExit.Oops(result.oops());
        }
        return result.errno() == Errno.ENOMEM ? noMemory(exit) : new VcpuExit.Failed(result.errno());
    }
}
