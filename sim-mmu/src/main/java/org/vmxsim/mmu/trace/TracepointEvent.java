package org.vmxsim.mmu.trace;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Enabled;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** A tracepoint in a recording of the JDK Flight Recorder. Off unless a recording enables {@code vmxsim.Tracepoint}. */
@Name("vmxsim.Tracepoint")
@Label("Tracepoint")
@Category({"vmxsim", "KVM"})
@Description("Something the modelled hypervisor did")
@Enabled(false)
@StackTrace(false)
final class TracepointEvent extends Event {
    @Label("Virtual machine")
    private int vm;

    @Label("vCPU")
    @Description("Number of the vCPU that was served, or -1")
    private int vcpu;

    @Label("Tracepoint")
    private String point;

    @Label("Address")
    @Description("The address that it is about, or -1")
    private long address;

    @Label("Fields")
    private String fields;

    TracepointEvent() {}

    static void commit(int vm, int vcpu, TraceEvent event) {
        TracepointEvent recorded = new TracepointEvent();
        recorded.vm = vm;
        recorded.vcpu = vcpu;
        recorded.point = event.point();
        recorded.address = event.address();
        recorded.fields = event.toString();
        recorded.commit();
    }
}
