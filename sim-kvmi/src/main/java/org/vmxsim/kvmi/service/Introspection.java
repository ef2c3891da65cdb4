package org.vmxsim.kvmi.service;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.vmxsim.kvmi.guest.Features;
import org.vmxsim.kvmi.guest.GuestFrames;
import org.vmxsim.kvmi.guest.GuestViews;
import org.vmxsim.kvmi.guest.PageRights;
import org.vmxsim.kvmi.memory.MapTokens;
import org.vmxsim.kvmi.message.Action;
import org.vmxsim.kvmi.message.Answer;
import org.vmxsim.kvmi.message.Event;
import org.vmxsim.kvmi.message.EventKind;
import org.vmxsim.kvmi.message.EventReply;
import org.vmxsim.kvmi.policy.Dialect;
import org.vmxsim.kvmi.policy.IntrospectionConfig;
import org.vmxsim.kvmi.policy.Permissions;
import org.vmxsim.kvmi.policy.StrictV4;
import org.vmxsim.mmu.Vcpu;
import org.vmxsim.mmu.VcpuExit;
import org.vmxsim.mmu.VcpuRunner;
import org.vmxsim.mmu.Vm;

/**
 * Introspection of a virtual machine. Runs its vCPUs in place of {@link Vcpu#run}: what the tool wants to know becomes
 * an event, and a vCPU with an event that waits for a reply does not run. Without a tool the vCPUs run as ever.
 *
 * <p>While there is a tool it owns the vCPUs' {@link Vcpu#intercepts}, {@link Vcpu#singleStep}, the handler of
 * {@link org.vmxsim.mmu.view.Views#onDenied} and hypercall 34.
 */
public final class Introspection implements VcpuRunner {
    private static final long IDLE_NANOS = 100_000_000;

    private final Vm vm;
    private final IntrospectionConfig config;
    private final Permissions permissions;
    private final EventMasks masks;
    private final PageRights rights;
    private final GuestViews views;
    private final GuestFrames frames;
    private final TurnExits exits;
    private final List<IntrospectedVcpu> vcpus = new ArrayList<>();
    private ToolInput input;
    private MapTokens tokens;
    private Session session;
    private boolean crashed;
    private long idleSinceNanos = -1;
    /** Of the run that is under way, or was last. */
    private long budgetLeft;

    private Introspection(Vm vm, IntrospectionConfig config) {
        this.vm = vm;
        this.config = config;
        this.permissions = new Permissions(config);
        this.masks = new EventMasks(this);
        this.rights = new PageRights(vm);
        this.views = new GuestViews(vm);
        this.frames = new GuestFrames(vm);
        this.exits = new TurnExits(this);
        meetVcpus(true);
    }

    /**
     * Makes a virtual machine ready for a tool.
     *
     * @param vm the virtual machine; one introspection each
     * @param config what a tool may do
     * @return without a tool
     * @throws IllegalArgumentException if one of them is null
     */
    public static Introspection of(Vm vm, IntrospectionConfig config) {
        if (vm == null || config == null) {
            throw new IllegalArgumentException("need a virtual machine and choices, got " + vm + " and " + config);
        }
        return new Introspection(vm, config);
    }

    /**
     * Lets a tool in.
     *
     * @param tool the tool
     * @return its session
     * @throws IllegalArgumentException if it is null, there is a tool already, or a tool has ended the virtual machine
     */
    public Session open(Tool tool) {
        if (tool == null || session != null || crashed) {
            throw new IllegalArgumentException("need a tool for a virtual machine that runs and has none, got tool="
                    + tool + " connected=" + (session != null) + " crashed=" + crashed);
        }
        meetVcpus(true);
        session = new Session(this, tool);
        exits.attach();
        return session;
    }

    /**
     * Sets where GET_MAP_TOKEN gets its tokens; without them it is answered by EOPNOTSUPP.
     *
     * @param newTokens the tokens of the host, or null for none
     */
    public void tokens(MapTokens newTokens) {
        tokens = newTokens;
    }

    /**
     * Sets where a tool outside is heard: between turns, and while vCPUs wait.
     *
     * @param newInput the input, or null for none
     */
    public void input(ToolInput newInput) {
        input = newInput;
    }

    /**
     * Asks the tool to leave, before the virtual machine is saved or moved: raises the event UNHOOK if the tool wants
     * it. The caller then goes on running until {@link #hasTool} says no, or its patience ends, and calls
     * {@link #disconnect}.
     *
     * @return whether the tool was asked
     */
    public boolean requestUnhook() {
        if (session == null || !masks.isEnabled(EventKind.UNHOOK)) {
            return false;
        }
        session.tool().event(session.nextSequence(), new Event.Unhook());
        return true;
    }

    /**
     * Sends the tool away, as if it had left.
     *
     * @param reason why, for a log
     */
    public void disconnect(String reason) {
        if (session != null) {
            session.end(reason);
        }
    }

    /**
     * Whether there is a tool.
     *
     * @return true from {@link #open} to the session's end
     */
    public boolean hasTool() {
        return session != null;
    }

    /**
     * Whether a tool has ended the virtual machine.
     *
     * @return true after a reply with {@link Action#CRASH}; every turn ends in {@link VcpuExit.Shutdown} then
     */
    public boolean isCrashed() {
        return crashed;
    }

    /**
     * Runs a vCPU, as {@link Vcpu#run}, but for what the tool wants to know.
     *
     * @param vcpu a vCPU of this virtual machine
     * @param maxInstructions budget, at least 0
     * @return why it came back; {@link VcpuExit.Intr} too as soon as it waits for the tool
     * @throws IllegalArgumentException if it is another virtual machine's vCPU, or as {@link Vcpu#run}
     */
    @Override
    public VcpuExit run(Vcpu vcpu, long maxInstructions) {
        if (maxInstructions < 0) {
            throw new IllegalArgumentException("need maxInstructions >= 0, got " + maxInstructions);
        }
        IntrospectedVcpu introspected = introspected(vcpu);
        listen();
        budgetLeft = maxInstructions;
        boolean first = true;
        while (!crashed && isReady(vcpu) && (budgetLeft > 0 || first)) {
            first = false;
            exits.beforeTurn(introspected);
            if (!crashed && isReady(vcpu)) {
                VcpuExit exit = turn(introspected);
                if (exit != null) {
                    return exit;
                }
            }
            listen();
        }
        return crashed ? new VcpuExit.Shutdown() : new VcpuExit.Intr();
    }

    /** One turn; null if it ended without anything for the caller. */
    private VcpuExit turn(IntrospectedVcpu introspected) {
        Vcpu vcpu = introspected.vcpu();
        idleSinceNanos = -1;
        long budget = introspected.isHolding() ? 0 : Math.min(budgetLeft, config.quantumInstructions());
        VcpuExit exit = exits.turn(introspected, budget);
        budgetLeft -= budget - vcpu.budgetLeft();
        boolean usedUp = exit instanceof VcpuExit.Intr && vcpu.budgetLeft() == 0;
        return usedUp ? null : exit;
    }

    @Override
    public long budgetLeft(Vcpu vcpu) {
        return budgetLeft;
    }

    /** Hears the tool, and reports what is to be reported of vCPUs that could run. */
    private void listen() {
        if (input != null) {
            input.pump();
        }
        report();
    }

    private void report() {
        for (int i = 0; session != null && i < vcpus.size(); i++) {
            exits.paused(vcpus.get(i));
        }
    }

    @Override
    public boolean isReady(Vcpu vcpu) {
        return !introspected(vcpu).isWaiting();
    }

    /** Waits for the tool, because no vCPU can run. A tool that says nothing for too long is sent away. */
    @Override
    public void idle() {
        long now = System.nanoTime();
        idleSinceNanos = idleSinceNanos < 0 ? now : idleSinceNanos;
        boolean heard = input != null && input.pumpOne(IDLE_NANOS);
        report();
        long patience = config.toolMillis() * 1_000_000;
        if (heard) {
            idleSinceNanos = -1;
        } else if (input == null || patience > 0 && System.nanoTime() - idleSinceNanos > patience) {
            idleSinceNanos = -1;
            disconnect("every vCPU waits and the tool says nothing");
        }
    }

    /** The service's side of a vCPU of this virtual machine. */
    IntrospectedVcpu introspected(Vcpu vcpu) {
        if (vcpu == null || vcpu.vm() != vm) {
            throw new IllegalArgumentException("need a vCPU of the introspected virtual machine, got " + vcpu);
        }
        return introspected(vcpu.id());
    }

    /** By number; null if there is none. */
    IntrospectedVcpu introspected(int vcpu) {
        if (vcpu >= vcpus.size()) {
            meetVcpus(session == null);
        }
        return vcpu >= 0 && vcpu < vcpus.size() ? vcpus.get(vcpu) : null;
    }

    private void meetVcpus(boolean introduced) {
        List<Vcpu> all = vm.vcpus();
        for (Vcpu vcpu : all.subList(vcpus.size(), all.size())) {
            IntrospectedVcpu met = new IntrospectedVcpu(vcpu, introduced);
            vcpus.add(met);
            if (session != null) {
                exits.attach(met);
            }
        }
    }

    /** Reports an event that its vCPU waits for; without a tool it goes on at once. */
    void raise(IntrospectedVcpu vcpu, Event event, Consumer<EventReply> then) {
        if (session == null) {
            then.accept(Replies.letGo(event));
            return;
        }
        int sequence = session.nextSequence();
        vcpu.await(sequence, event, then);
        exits.charge(vcpu);
        session.tool().event(sequence, event);
    }

    void reply(int sequence, EventReply reply) {
        for (IntrospectedVcpu vcpu : vcpus) {
            if (vcpu.waitsFor(sequence)) {
                reply(vcpu, reply);
                return;
            }
        }
        throw new IllegalArgumentException("need an event that waits for a reply, got sequence=" + sequence);
    }

    void letGo(int sequence) {
        for (IntrospectedVcpu vcpu : vcpus) {
            if (vcpu.waitsFor(sequence)) {
                vcpu.replied(Replies.letGo(vcpu.waitingFor()));
            }
        }
    }

    private void reply(IntrospectedVcpu vcpu, EventReply reply) {
        Event event = vcpu.waitingFor();
        if (reply == null || !Replies.fits(event, reply)) {
            throw new IllegalArgumentException("need a reply in the form for " + event.kind() + ", got " + reply);
        }
        if (reply.action() == Action.CRASH) {
            crash();
        } else {
            vcpu.replied(reply);
        }
    }

    /** The tool ends the virtual machine, as SIGTERM does to its process: no vCPU runs any more. */
    private void crash() {
        crashed = true;
        session.end("the tool ended the virtual machine");
    }

    /** The session is over: undoes what it changed. */
    void closed() {
        session = null;
        exits.detach();
        masks.clear();
        rights.clear();
        views.clear();
        frames.clear();
        if (tokens != null) {
            tokens.unhooked(vm);
        }
        vcpus.forEach(IntrospectedVcpu::release);
    }

    Vm vm() {
        return vm;
    }

    IntrospectionConfig config() {
        return config;
    }

    boolean isV4() {
        return config.dialect() == Dialect.V4;
    }

    boolean has(Answer.Feature feature) {
        return Features.of(vm).contains(feature);
    }

    boolean has(StrictV4 quirk) {
        return config.quirks().contains(quirk);
    }

    MapTokens tokens() {
        return tokens;
    }

    Permissions permissions() {
        return permissions;
    }

    EventMasks masks() {
        return masks;
    }

    PageRights rights() {
        return rights;
    }

    GuestViews views() {
        return views;
    }

    GuestFrames frames() {
        return frames;
    }

    List<IntrospectedVcpu> vcpus() {
        return vcpus;
    }
}
