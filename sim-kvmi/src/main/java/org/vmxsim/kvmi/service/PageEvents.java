package org.vmxsim.kvmi.service;

import java.util.List;
import java.util.stream.Stream;
import org.vmxsim.kvmi.message.Action;
import org.vmxsim.kvmi.message.Event;
import org.vmxsim.kvmi.message.EventKind;
import org.vmxsim.kvmi.message.EventReply;
import org.vmxsim.kvmi.registers.RegisterImages;
import org.vmxsim.mmu.Vcpu;
import org.vmxsim.mmu.VcpuExit;
import org.vmxsim.mmu.view.ViewAccess;
import org.vmxsim.mmu.view.ViewAccessHandler;

/**
 * Accesses to pages that the tool took rights away from, and writes to sub-pages that it protects. Source: RFC v4,
 * patches 7 and 11; branch kvmi-v7, {@code kvmi_arch_pf_event}.
 */
final class PageEvents implements ViewAccessHandler {
    private static final long NO_GVA = -1;
    private static final int WRITE = 2;

    /** An access that is asked about bit by bit, and what was decided so far. */
    private static final class Fault {
        private final IntrospectedVcpu vcpu;
        private final ViewAccess access;
        private int allowed;
        private long readsAt;
        private byte[] reads = new byte[0];
        private boolean allIterations;

        Fault(IntrospectedVcpu vcpu, ViewAccess access) {
            this.vcpu = vcpu;
            this.access = access;
        }
    }

    private final Introspection introspection;

    PageEvents(Introspection introspection) {
        this.introspection = introspection;
    }

    /** What the processor reads and marks of paging structures is not reported, as in the series. */
    @Override
    public Answer denied(ViewAccess access) {
        IntrospectedVcpu vcpu = introspection.introspected(access.vcpu());
        return isWanted(vcpu) && access.source() != ViewAccess.Source.PAGING_STRUCTURE ? Answer.EXIT : Answer.CONTINUE;
    }

    private boolean isWanted(IntrospectedVcpu vcpu) {
        return introspection.masks().isEnabled(vcpu, EventKind.PAGE_FAULT);
    }

    /** A vCPU stands at an access to a restricted page. */
    void restricted(IntrospectedVcpu vcpu, ViewAccess access) {
        next(new Fault(vcpu, access));
    }

    /** One event for each kind of access that is attempted and denied, reads first; then it takes place. */
    private void next(Fault fault) {
        ViewAccess access = fault.access;
        int rights = introspection.vm().views().permissions(access.view(), access.gpa() >>> 12);
        int missing = access.access() & ~rights & ~fault.allowed;
        if (missing == 0 || !isWanted(fault.vcpu)) {
            fault.vcpu.vcpu().allowOnce(fault.readsAt, fault.reads, fault.allIterations);
            return;
        }
        int kind = Integer.lowestOneBit(missing);
        // Only what the processor does on its own may come without a linear address.
        boolean unknown = access.gla() == 0 && access.source() != ViewAccess.Source.INSTRUCTION;
        Event.PageFault event = new Event.PageFault(
                RegisterImages.context(fault.vcpu.vcpu()),
                unknown ? NO_GVA : access.gla(),
                access.gpa(),
                kind,
                access.view());
        introspection.raise(fault.vcpu, event, reply -> replied(fault, event, (EventReply.AfterFault) reply));
    }

    private void replied(Fault fault, Event.PageFault event, EventReply.AfterFault reply) {
        if (reply.action() == Action.RETRY) {
            retry(fault.vcpu, reply);
            return;
        }
        fault.allowed |= event.access();
        fault.allIterations |= reply.repComplete();
        if (reply.context().length > 0) {
            fault.readsAt = reply.contextAddress() == 0 ? event.gva() : reply.contextAddress();
            fault.reads = reply.context();
        }
        next(fault);
    }

    private static void retry(IntrospectedVcpu vcpu, EventReply.AfterFault reply) {
        if (reply.singlestep()) {
            vcpu.vcpu().stepOnce();
            vcpu.askToStep(true);
            vcpu.stepping(true);
        }
    }

    /**
     * A vCPU stands at a write to a protected sub-page.
     *
     * @return false if it is none of the tool's
     */
    boolean protectedSubPage(IntrospectedVcpu vcpu, VcpuExit.Spp write) {
        List<Long> closed = closedPages(vcpu, write.gpa() >>> 12);
        if (closed.isEmpty()) {
            return false;
        }
        if (!isWanted(vcpu) || write.access() == VcpuExit.DeniedAccess.PAGING_STRUCTURE) {
            vcpu.openPages().addAll(closed);
            return true;
        }
        long gva = write.access() == VcpuExit.DeniedAccess.INSTRUCTION ? write.gla() : NO_GVA;
        Vcpu writes = vcpu.vcpu();
        Event event = new Event.PageFault(
                RegisterImages.context(writes),
                gva,
                write.gpa(),
                WRITE,
                writes.mmu().view());
        introspection.raise(vcpu, event, reply -> afterWrite(vcpu, closed, (EventReply.AfterFault) reply));
        return true;
    }

    /** Of a page and the one whose memory it has in the view, both of which decide: those that the tool has closed. */
    private List<Long> closedPages(IntrospectedVcpu vcpu, long gfn) {
        long backing = introspection.vm().views().backing(vcpu.vcpu().mmu().view(), gfn);
        return Stream.of(gfn, backing)
                .distinct()
                .filter(introspection.rights()::protectsSubPages)
                .filter(page -> !vcpu.openPages().contains(page))
                .toList();
    }

    private static void afterWrite(IntrospectedVcpu vcpu, List<Long> closed, EventReply.AfterFault reply) {
        boolean retry = reply.action() == Action.RETRY;
        if (!retry || reply.singlestep()) {
            vcpu.openPages().addAll(closed);
        }
        vcpu.stepping(retry && reply.singlestep());
    }
}
