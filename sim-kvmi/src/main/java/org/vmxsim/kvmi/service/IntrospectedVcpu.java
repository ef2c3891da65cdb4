package org.vmxsim.kvmi.service;

import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.vmxsim.kvmi.message.Event;
import org.vmxsim.kvmi.message.EventReply;
import org.vmxsim.kvmi.message.GeneralRegisters;
import org.vmxsim.kvmi.message.VcpuCommand;
import org.vmxsim.kvmi.registers.RegisterImages;
import org.vmxsim.mmu.Vcpu;
import org.vmxsim.mmu.intercept.InterceptListener;

/** One vCPU as the service sees it: what it waits for, what was decided, what is to be reported before it runs. */
final class IntrospectedVcpu {
    /** An event without a reply. */
    private record Waiting(int sequence, Event event, Consumer<EventReply> then) {}

    private final Vcpu vcpu;
    private Waiting waiting;
    /** What an intercept listener wants to ask; the exit is handled again when there is a decision. */
    private Event held;

    private EventReply decision;
    /** An exit is held, asked about or decided, and not yet finished. */
    private boolean holding;
    /** The next instruction is executed by the processor because the tool wanted to see it stepped. */
    private boolean stepping;
    /** The vCPU may come back behind an instruction because of that, whoever is there by then. */
    private boolean askedToStep;
    /** Pages whose sub-pages are open to the instruction that the vCPU stands at. */
    private final Set<Long> openPages = new LinkedHashSet<>();

    private GeneralRegisters newRegisters;
    private int pauses;
    private boolean introduced;
    /** What the tool wants injected, until the guest is entered with it or with something else. */
    private VcpuCommand.InjectException injected;

    private boolean singlestep;
    private boolean keepsBreakpoints;
    private boolean seesVirtualizationExceptions;
    /** MSRs whose writes are exits now. */
    private final Set<Integer> seenMsrs = new HashSet<>();

    IntrospectedVcpu(Vcpu vcpu, boolean introduced) {
        this.vcpu = vcpu;
        this.introduced = introduced;
    }

    Vcpu vcpu() {
        return vcpu;
    }

    boolean isWaiting() {
        return waiting != null;
    }

    /** The event that waits for a reply. */
    Event waitingFor() {
        return waiting == null ? null : waiting.event;
    }

    boolean waitsFor(int sequence) {
        return waiting != null && waiting.sequence == sequence;
    }

    void await(int sequence, Event event, Consumer<EventReply> then) {
        if (waiting != null) {
            throw new AssertionError("vCPU " + vcpu.id() + " has an event already, " + waiting.event.kind());
        }
        waiting = new Waiting(sequence, event, then);
    }

    /** The reply to what it waits for: registers that were set meanwhile count, then what follows from the reply. */
    void replied(EventReply reply) {
        Waiting done = waiting;
        waiting = null;
        loadRegisters();
        done.then.accept(reply);
    }

    private void loadRegisters() {
        if (newRegisters != null) {
            RegisterImages.load(vcpu, newRegisters);
            newRegisters = null;
        }
    }

    /** Registers to be set when the reply comes, or if it has come, when the exit is finished that it is about. */
    void setOnReply(GeneralRegisters registers) {
        newRegisters = registers;
    }

    /**
     * Asks about an exit that is being handled: the first time it is held, the second time there is a decision.
     *
     * @param event what to ask, made only if it is asked
     * @param then what follows from the reply
     */
    InterceptListener.Answer ask(Supplier<Event> event, Function<EventReply, InterceptListener.Answer> then) {
        if (decision == null) {
            held = event.get();
            return InterceptListener.Answer.HOLD;
        }
        EventReply reply = decision;
        decision = null;
        return then.apply(reply);
    }

    /** The guest is not entered before an event has been told, and its reply decides nothing. */
    InterceptListener.Answer tell(Event event) {
        held = event;
        return InterceptListener.Answer.HOLD;
    }

    /** The vCPU was held: what to ask. Before an entry there is no exit to be handled again. */
    Event hold() {
        Event event = held;
        held = null;
        holding = !(event instanceof Event.Trap);
        return event;
    }

    /** The exit that was held has been handled with the decision. */
    void finished() {
        holding = false;
        decision = null;
        loadRegisters();
    }

    /** Whether the last exit is still to be handled: nothing else may be reported or changed before. */
    boolean isHolding() {
        return holding;
    }

    void decide(EventReply reply) {
        decision = reply;
    }

    /** Whether an exit waits to be handled again with a decision. */
    boolean isDecided() {
        return decision != null;
    }

    void stepping(boolean on) {
        stepping = on;
    }

    boolean isStepping() {
        return stepping;
    }

    void askToStep(boolean asked) {
        askedToStep = asked;
    }

    boolean isAskedToStep() {
        return askedToStep;
    }

    /** It came back before the instruction, which is to be executed as any other when the vCPU runs again. */
    void notStepped() {
        askedToStep = false;
        stepping &= !openPages.isEmpty();
    }

    Set<Long> openPages() {
        return openPages;
    }

    void pause() {
        pauses++;
    }

    int pauses() {
        return pauses;
    }

    boolean takePause() {
        if (pauses == 0) {
            return false;
        }
        pauses--;
        return true;
    }

    /** Whether it has run, or was there before the tool: only then it can be introspected. */
    boolean isIntroduced() {
        return introduced;
    }

    void introduce() {
        introduced = true;
    }

    void injected(VcpuCommand.InjectException exception) {
        injected = exception;
    }

    VcpuCommand.InjectException injected() {
        return injected;
    }

    boolean hasInjected() {
        return injected != null;
    }

    void singlestep(boolean on) {
        singlestep = on;
        vcpu.singleStep(on);
    }

    boolean isSinglestepping() {
        return singlestep;
    }

    Set<Integer> seenMsrs() {
        return seenMsrs;
    }

    boolean keepsBreakpoints() {
        return keepsBreakpoints;
    }

    void keepBreakpoints(boolean keep) {
        keepsBreakpoints = keep;
    }

    /** Whether #VE is an exit before the guest handles it: SET_VE_INFO can ask for that, and nothing is reported. */
    boolean seesVirtualizationExceptions() {
        return seesVirtualizationExceptions;
    }

    void seeVirtualizationExceptions(boolean on) {
        seesVirtualizationExceptions = on;
    }

    /** Forgets what a tool wanted; what waits goes on as if nobody had asked. */
    void release() {
        pauses = 0;
        injected = null;
        newRegisters = null;
        stepping = false;
        singlestep(false);
        if (waiting != null) {
            replied(Replies.letGo(waiting.event));
        }
        // Nothing of the tool's protects them any more, and what the owner protects is the owner's to open.
        openPages.clear();
    }
}
