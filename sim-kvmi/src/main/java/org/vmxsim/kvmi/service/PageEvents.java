package org.vmxsim.kvmi.service;

import org.vmxsim.kvmi.message.EventKind;
import org.vmxsim.mmu.view.ViewAccess;
import org.vmxsim.mmu.view.ViewAccessHandler;

/** Accesses to pages that the tool took rights away from. Source: RFC v4, patches 7 and 11. */
final class PageEvents implements ViewAccessHandler {
    private final Introspection introspection;

    PageEvents(Introspection introspection) {
        this.introspection = introspection;
    }

    /** What the processor reads and marks of paging structures is not reported, as in the series. */
    @Override
    public Answer denied(ViewAccess access) {
        IntrospectedVcpu vcpu = introspection.introspected(access.vcpu());
        boolean wanted = introspection.masks().isEnabled(vcpu, EventKind.PAGE_FAULT);
        return wanted && access.source() != ViewAccess.Source.PAGING_STRUCTURE ? Answer.EXIT : Answer.CONTINUE;
    }
}
