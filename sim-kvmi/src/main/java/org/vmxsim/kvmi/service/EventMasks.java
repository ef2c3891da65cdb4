package org.vmxsim.kvmi.service;

import java.util.BitSet;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.vmxsim.kvmi.message.EventKind;
import org.vmxsim.kvmi.policy.StrictV4;
import org.vmxsim.mmu.guest.VirtualizationExceptions;
import org.vmxsim.mmu.intercept.Intercepts;

/**
 * Which events the tool wants, and the exits that they need. RFC v4 has one mask for the virtual machine, its later
 * form one for each vCPU.
 */
final class EventMasks {
    private static final int BREAKPOINT_VECTOR = 3;

    /** What one vCPU is asked for; in RFC v4 the same object for all. */
    private static final class Wanted {
        private final EnumSet<EventKind> events = EnumSet.noneOf(EventKind.class);
        private final BitSet crs = new BitSet();
        private final Set<Integer> msrs = new HashSet<>();
    }

    private final Introspection introspection;
    private final Map<Integer, Wanted> byVcpu = new HashMap<>();
    private final EnumSet<EventKind> ofVm = EnumSet.noneOf(EventKind.class);

    EventMasks(Introspection introspection) {
        this.introspection = introspection;
    }

    private Wanted wanted(IntrospectedVcpu vcpu) {
        int number = introspection.isV4() ? 0 : vcpu.vcpu().id();
        return byVcpu.computeIfAbsent(number, key -> new Wanted());
    }

    /** Whether an event of the virtual machine is wanted. */
    boolean isEnabled(EventKind event) {
        return ofVm.contains(event);
    }

    boolean isEnabled(IntrospectedVcpu vcpu, EventKind event) {
        return wanted(vcpu).events.contains(event);
    }

    boolean isEnabledCr(IntrospectedVcpu vcpu, int cr) {
        return isEnabled(vcpu, EventKind.CR) && wanted(vcpu).crs.get(cr);
    }

    boolean isEnabledMsr(IntrospectedVcpu vcpu, int msr) {
        return isEnabled(vcpu, EventKind.MSR) && wanted(vcpu).msrs.contains(msr);
    }

    void controlVm(EventKind event, boolean enable) {
        set(ofVm, event, enable);
    }

    void control(IntrospectedVcpu vcpu, EventKind event, boolean enable) {
        set(wanted(vcpu).events, event, enable);
        applyAll();
    }

    private static <T> void set(Set<T> wanted, T one, boolean enable) {
        if (enable) {
            wanted.add(one);
        } else {
            wanted.remove(one);
        }
    }

    /** RFC v4: the new mask of the whole virtual machine, events of the virtual machine included. */
    void mask(Set<EventKind> events) {
        Wanted wanted = byVcpu.computeIfAbsent(0, key -> new Wanted());
        wanted.events.clear();
        wanted.events.addAll(events);
        set(ofVm, EventKind.CREATE_VCPU, events.contains(EventKind.CREATE_VCPU));
        applyAll();
    }

    void cr(IntrospectedVcpu vcpu, int cr, boolean enable) {
        wanted(vcpu).crs.set(cr, enable);
        applyAll();
    }

    void msr(IntrospectedVcpu vcpu, int msr, boolean enable) {
        set(wanted(vcpu).msrs, msr, enable);
        applyAll();
    }

    private void applyAll() {
        introspection.vcpus().forEach(this::apply);
    }

    /**
     * Has the vCPU exit for what is wanted, and for nothing else. An exit that is held is finished first: what was
     * decided about it counts whatever is wanted by then.
     */
    void apply(IntrospectedVcpu vcpu) {
        if (vcpu.isHolding()) {
            return;
        }
        Wanted wanted = wanted(vcpu);
        Intercepts intercepts = vcpu.vcpu().intercepts();
        boolean crs = wanted.events.contains(EventKind.CR);
        intercepts.controlRegister(0, crs && wanted.crs.get(0) ? -1 : 0);
        intercepts.controlRegister(3, crs && wanted.crs.get(3) ? -1 : 0);
        intercepts.controlRegister(4, crs && wanted.crs.get(4) ? -1 : 0);
        boolean msrs = wanted.events.contains(EventKind.MSR);
        vcpu.seenMsrs().stream()
                .filter(msr -> !msrs || !wanted.msrs.contains(msr))
                .forEach(msr -> intercepts.msr(msr, false, false));
        vcpu.seenMsrs().clear();
        if (msrs) {
            wanted.msrs.forEach(msr -> intercepts.msr(msr, false, true));
            vcpu.seenMsrs().addAll(wanted.msrs);
        }
        boolean breakpoints = wanted.events.contains(EventKind.BREAKPOINT) || vcpu.keepsBreakpoints();
        vcpu.keepBreakpoints(breakpoints && introspection.has(StrictV4.BREAKPOINT_EXITS_STAY));
        int converted = vcpu.seesVirtualizationExceptions() ? 1 << VirtualizationExceptions.VECTOR : 0;
        intercepts.exceptions(converted | (breakpoints ? 1 << BREAKPOINT_VECTOR : 0));
        intercepts.cpuid(wanted.events.contains(EventKind.CPUID));
        intercepts.descriptorTables(
                wanted.events.contains(EventKind.DESCRIPTOR) && !introspection.has(StrictV4.DESCRIPTOR_EXITS_OFF));
    }

    /** Nothing is wanted any more. */
    void clear() {
        ofVm.clear();
        byVcpu.clear();
        introspection.vcpus().forEach(vcpu -> vcpu.seeVirtualizationExceptions(false));
        applyAll();
    }
}
