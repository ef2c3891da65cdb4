package org.vmxsim.kvmi.memory;

import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.vmxsim.kvmi.message.KvmiError;
import org.vmxsim.mmu.Vcpu;
import org.vmxsim.mmu.Vm;

/**
 * The tokens of one host with which a virtual machine may map a page of another: 32 random bytes each, good for one
 * attempt. Whoever shows one is entitled; it is bound to the virtual machine that is introspected and to nothing else.
 * Source: KVMI series v4, {@code kvmi_mem_generate_token} and {@code find_machine_at}; v6 for limit and end of life.
 */
public final class MapTokens {
    /** Size of a token. */
    public static final int TOKEN_BYTES = 32;

    /**
     * What became of the wish for a token.
     *
     * @param token the 32 bytes, or null
     * @param error EAGAIN if too many are alive, ENOMEM; null with a token
     */
    public record Issued(byte[] token, KvmiError error) {}

    private record Entry(Vm target, long issuedNanos) {}

    private final MapTokenPolicy policy;
    private final SplittableRandom random;
    private final LongSupplier clockNanos;
    private final BooleanSupplier kernelAllocation;
    private final Map<ByteBuffer, Entry> tokens = new LinkedHashMap<>();
    private long sweeps;

    /**
     * No token yet.
     *
     * @param policy how long they live and how many there may be
     * @param seed where the random bytes come from: equal seeds give equal tokens
     * @param clockNanos simulated time in nanoseconds, which never goes back
     * @param kernelAllocation answers whether the host's kernel has memory for the next small object; usually true
     */
    public MapTokens(MapTokenPolicy policy, long seed, LongSupplier clockNanos, BooleanSupplier kernelAllocation) {
        this.policy = policy;
        this.random = new SplittableRandom(seed);
        this.clockNanos = clockNanos;
        this.kernelAllocation = kernelAllocation;
        this.sweeps = clockNanos.getAsLong() / policy.sweepNanos();
    }

    /**
     * No token yet, in a host whose kernel always has memory for small objects.
     *
     * @param policy how long they live and how many there may be
     * @param seed where the random bytes come from
     * @param clockNanos simulated time in nanoseconds, such as {@link #clockOf}
     */
    public MapTokens(MapTokenPolicy policy, long seed, LongSupplier clockNanos) {
        this(policy, seed, clockNanos, () -> true);
    }

    /**
     * Simulated time by the clock of one processor. In the functional engine it counts instructions, each taken for one
     * tick of the time-stamp counter.
     *
     * @param vcpu whose processor
     * @return nanoseconds since the machine was made
     */
    public static LongSupplier clockOf(Vcpu vcpu) {
        long hz = vcpu.vm().kvm().tscHz();
        return () -> {
            long ticks = vcpu.processor().timeStamp();
            return ticks / hz * 1_000_000_000 + ticks % hz * 1_000_000_000 / hz;
        };
    }

    /**
     * Makes a token.
     *
     * @param target the virtual machine whose pages may be mapped with it
     * @return the token; EAGAIN if as many as the limit are alive, ENOMEM
     */
    public Issued issue(Vm target) {
        sweep();
        if (alive(target) >= policy.limit()) {
            return new Issued(null, KvmiError.EAGAIN);
        }
        if (!kernelAllocation.getAsBoolean()) {
            return new Issued(null, KvmiError.ENOMEM);
        }
        byte[] token = new byte[TOKEN_BYTES];
        random.nextBytes(token);
        tokens.put(ByteBuffer.wrap(token.clone()), new Entry(target, clockNanos.getAsLong()));
        return new Issued(token, null);
    }

    /**
     * Uses a token up.
     *
     * @param token the bytes that were shown, of any number
     * @return the virtual machine that it is for, or null if there is no such token, or no more
     */
    public Vm take(byte[] token) {
        sweep();
        Entry entry = tokens.remove(ByteBuffer.wrap(token));
        return entry == null ? null : entry.target;
    }

    /** The timer of the host's kernel, which nobody can tell from one that looks when somebody asks. */
    private void sweep() {
        long now = clockNanos.getAsLong() / policy.sweepNanos();
        if (now > sweeps) {
            sweeps = now;
            tokens.values().removeIf(entry -> now * policy.sweepNanos() - entry.issuedNanos > policy.lifeNanos());
        }
    }

    /**
     * How many tokens of a virtual machine are alive.
     *
     * @param target the virtual machine
     * @return the count
     */
    public int alive(Vm target) {
        sweep();
        return (int)
                tokens.values().stream().filter(entry -> entry.target == target).count();
    }

    /**
     * Whether a token keeps the object of a virtual machine alive.
     *
     * @param target the virtual machine
     * @return true if the policy is pinning and a token is alive
     */
    public boolean isPinned(Vm target) {
        return policy.pinning() && alive(target) > 0;
    }

    /**
     * The introspection of a virtual machine ends, since its tool is gone or gave it up.
     *
     * @param target the virtual machine; its tokens go if the policy says so
     */
    public void unhooked(Vm target) {
        if (policy.droppedAtUnhook()) {
            drop(target);
        }
    }

    /**
     * The process of a virtual machine has ended.
     *
     * @param target the virtual machine; its tokens go unless they pin it
     */
    public void vmDestroyed(Vm target) {
        if (!policy.pinning()) {
            drop(target);
        }
    }

    private void drop(Vm target) {
        tokens.values().removeIf(entry -> entry.target == target);
    }
}
