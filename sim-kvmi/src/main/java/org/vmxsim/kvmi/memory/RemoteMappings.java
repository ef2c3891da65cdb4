package org.vmxsim.kvmi.memory;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.vmxsim.mmu.Kvm;
import org.vmxsim.mmu.Vcpu;
import org.vmxsim.mmu.Vm;
import org.vmxsim.mmu.abi.KernelOops;
import org.vmxsim.mmu.host.RemotePages;
import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.mmu.track.PageTracker;

/**
 * The host's side of hypercalls 32 and 33: a guest that shows a token gets a page of another virtual machine in the
 * place of one of its own, and gives it back. Source: KVMI series v4, {@code virt/kvm/kvmi_mem.c}; by default without
 * its defects, and after {@code mm/remote_mapping.c} of v6.
 */
public final class RemoteMappings {
    /** KVM_HC_MEM_MAP. RBX: linear address of the token; RCX: page of the target; RDX: page that gives way. */
    public static final long HYPERCALL_MAP = 32;
    /** KVM_HC_MEM_UNMAP. RBX: page that is to come back. */
    public static final long HYPERCALL_UNMAP = 33;
    /** Answer of {@link #map} and {@link #unmap}: the call waits for ever, and its virtual machine has ended. */
    public static final long NEVER_RETURNS = Long.MIN_VALUE;

    static final long NO_HVA = -1;

    private final Kvm kvm;
    private final MapTokens tokens;
    private final Set<MappingQuirk> quirks;
    private final BooleanSupplier kernelAllocation;
    private final RemotePages pages;
    private final MappingTable table;
    private final Map<Vm, MmapLock> locks = new LinkedHashMap<>();
    private final Map<Vm, PageTracker> followed = new LinkedHashMap<>();
    private final Set<Vm> destroyed = new HashSet<>();

    /**
     * Nothing mapped.
     *
     * @param kvm the host
     * @param tokens its tokens
     * @param quirks what is done as in the code of v4; none by default
     * @param kernelAllocation answers whether the host's kernel has memory for the next small object; usually true
     */
    public RemoteMappings(Kvm kvm, MapTokens tokens, Set<MappingQuirk> quirks, BooleanSupplier kernelAllocation) {
        this.kvm = kvm;
        this.tokens = tokens;
        this.quirks = EnumSet.noneOf(MappingQuirk.class);
        this.quirks.addAll(quirks);
        this.kernelAllocation = kernelAllocation;
        this.pages = kvm.hostFrames().remotePages();
        this.table = new MappingTable(pages, has(MappingQuirk.KEYED_BY_GPA), has(MappingQuirk.BORROWED_PAGES));
    }

    /**
     * Nothing mapped, no quirks, and a kernel that always has memory for small objects.
     *
     * @param kvm the host
     * @param tokens its tokens
     */
    public RemoteMappings(Kvm kvm, MapTokens tokens) {
        this(kvm, tokens, Set.of(), () -> true);
    }

    /**
     * Lets a virtual machine make the two hypercalls.
     *
     * @param vm one of this host
     * @throws IllegalArgumentException if it is of another
     */
    public void attach(Vm vm) {
        check(vm).hypercalls().handle(HYPERCALL_MAP, (vcpu, token, req, map, unused) -> map(vcpu, token, req, map));
        vm.hypercalls().handle(HYPERCALL_UNMAP, (vcpu, map, b, c, d) -> unmap(vcpu, map));
    }

    private Vm check(Vm vm) {
        if (vm == null || vm.kvm() != kvm) {
            throw new IllegalArgumentException("need a virtual machine of this host, got " + vm);
        }
        return vm;
    }

    /**
     * Hypercall 32, as the guest of a vCPU makes it.
     *
     * @param caller the vCPU
     * @param tokenGva linear address of the token, read as a supervisor
     * @param reqGpa guest-physical address of the page of the target; bits 11:0 are ignored
     * @param mapGpa guest-physical address of the page that gives way
     * @return 0, a negated error number, or {@link #NEVER_RETURNS}
     */
    public long map(Vcpu caller, long tokenGva, long reqGpa, long mapGpa) {
        return run(beginMap(caller, tokenGva, reqGpa, mapGpa));
    }

    /**
     * Hypercall 32 with a token that was read already.
     *
     * @param caller the virtual machine that calls
     * @param token the token
     * @param reqGpa guest-physical address of the page of the target
     * @param mapGpa guest-physical address of the page that gives way
     * @return 0, a negated error number, or {@link #NEVER_RETURNS}
     */
    public long map(Vm caller, byte[] token, long reqGpa, long mapGpa) {
        return run(beginMap(caller, token, reqGpa, mapGpa));
    }

    /**
     * Hypercall 33, as the guest of a vCPU makes it.
     *
     * @param caller the vCPU
     * @param mapGpa guest-physical address of the page that is to come back
     * @return 0, a negated error number, or {@link #NEVER_RETURNS}
     */
    public long unmap(Vcpu caller, long mapGpa) {
        return unmap(caller.vm(), mapGpa);
    }

    /**
     * Hypercall 33.
     *
     * @param caller the virtual machine that calls
     * @param mapGpa guest-physical address of the page that is to come back
     * @return 0, a negated error number, or {@link #NEVER_RETURNS}
     */
    public long unmap(Vm caller, long mapGpa) {
        return run(beginUnmap(caller, mapGpa));
    }

    /**
     * Begins hypercall 32, to be gone through step by step.
     *
     * @param caller the vCPU
     * @param tokenGva linear address of the token
     * @param reqGpa guest-physical address of the page of the target
     * @param mapGpa guest-physical address of the page that gives way
     * @return the call, of which no step is made
     */
    public MappingCall beginMap(Vcpu caller, long tokenGva, long reqGpa, long mapGpa) {
        boolean nextFrame = has(MappingQuirk.TOKEN_IN_NEXT_FRAME);
        MapCall.TokenSource source = token -> GuestToken.read(caller, tokenGva, nextFrame, token);
        return new MapCall(this, check(caller.vm()), source, reqGpa, mapGpa);
    }

    /**
     * Begins hypercall 32 with a token that was read already.
     *
     * @param caller the virtual machine that calls
     * @param token the token
     * @param reqGpa guest-physical address of the page of the target
     * @param mapGpa guest-physical address of the page that gives way
     * @return the call, of which no step is made
     * @throws IllegalArgumentException if the token has not {@value MapTokens#TOKEN_BYTES} bytes
     */
    public MappingCall beginMap(Vm caller, byte[] token, long reqGpa, long mapGpa) {
        if (token.length != MapTokens.TOKEN_BYTES) {
            throw new IllegalArgumentException(
                    "need a token of " + MapTokens.TOKEN_BYTES + " bytes, got " + token.length);
        }
        byte[] shown = token.clone();
        MapCall.TokenSource source = into -> {
            System.arraycopy(shown, 0, into, 0, into.length);
            return null;
        };
        return new MapCall(this, check(caller), source, reqGpa, mapGpa);
    }

    /**
     * Begins hypercall 33, to be gone through step by step.
     *
     * @param caller the virtual machine that calls
     * @param mapGpa guest-physical address of the page that is to come back
     * @return the call, of which no step is made
     */
    public MappingCall beginUnmap(Vm caller, long mapGpa) {
        return new UnmapCall(this, check(caller), mapGpa);
    }

    /** Makes all steps; where another call has the lock, that one goes on first. */
    private long run(MappingCall call) {
        while (!call.isDone()) {
            if (call.step() != MappingCall.Progress.WAITS) {
                continue;
            }
            Deadlock deadlock = deadlock(call);
            if (deadlock != null) {
                String cause = "down_write never returns: " + deadlock;
                call.caller().hypercalls().neverReturns(new KernelOops(call.function(), cause));
                return NEVER_RETURNS;
            }
            call.waitsForLock().owner().step();
        }
        return call.result();
    }

    /**
     * Why a call never returns.
     *
     * @param call a call that waits
     * @return the calls that wait for each other, among them this one or one that it waits for; null if it need only be
     *     its turn again
     */
    public Deadlock deadlock(MappingCall call) {
        List<MappingCall> chain = new ArrayList<>();
        MappingCall at = call;
        while (at != null && at.waitsForLock() != null) {
            int before = chain.indexOf(at);
            if (before >= 0) {
                return new Deadlock(chain.subList(before, chain.size()));
            }
            chain.add(at);
            at = at.waitsForLock().owner();
        }
        return null;
    }

    /**
     * What is mapped.
     *
     * @return all mappings that are noted, oldest first
     */
    public List<RemoteMapping> mappings() {
        return table.list();
    }

    /**
     * Tells that the process of a virtual machine has ended, before or after its memory is unmapped
     * ({@link org.vmxsim.mmu.host.HostRanges#unmapAll}). What it has mapped ends; what others have mapped of it is
     * stale.
     *
     * @param vm the virtual machine
     */
    public void vmDestroyed(Vm vm) {
        destroyed.add(check(vm));
        tokens.vmDestroyed(vm);
        PageTracker tracker = followed.remove(vm);
        if (tracker != null) {
            vm.pageTracking().unregister(tracker);
        }
        if (has(MappingQuirk.BORROWED_PAGES)) {
            table.removeIf(entry -> entry.target == vm);
            return;
        }
        leaves(vm, 0, Long.MAX_VALUE);
    }

    /** Guest-physical frames of a virtual machine are no more what they were. */
    private void leaves(Vm vm, long firstGfn, long lastGfn) {
        table.forEach(entry -> {
            if (entry.caller == vm && isWithin(entry.mapGpa, firstGfn, lastGfn)) {
                pages.unmap(vm.host(), entry.localHva);
            }
        });
        table.forgetEnded();
        table.forEach(entry -> {
            if (entry.target == vm && isWithin(entry.reqGpa, firstGfn, lastGfn)) {
                pages.detach(entry.caller.host(), entry.localHva);
            }
        });
        table.forgetEnded();
    }

    private static boolean isWithin(long gpa, long firstGfn, long lastGfn) {
        return gpa >>> 12 >= firstGfn && gpa >>> 12 <= lastGfn;
    }

    /** Has this told about memslots of a virtual machine that go or move. */
    void follow(Vm vm) {
        followed.computeIfAbsent(vm, key -> {
            PageTracker tracker = new PageTracker() {
                @Override
                public void slotFlushed(Memslot slot) {
                    if (slot.addressSpace() == 0) {
                        leaves(vm, slot.baseGfn(), slot.lastGfn());
                    }
                }
            };
            vm.pageTracking().register(tracker);
            return tracker;
        });
    }

    /** Host virtual address of a page in a memslot that may be written ({@code gfn_to_hva}). */
    static long hva(Vm vm, long gpa) {
        Memslot slot = vm.memory().slot(gpa);
        return slot == null || slot.isReadOnly() ? NO_HVA : slot.hvaOf(gpa >>> 12);
    }

    MmapLock lock(Vm vm) {
        return locks.computeIfAbsent(vm, key -> new MmapLock(key, locks.size()));
    }

    /** The locks of a call, in the order in which it takes them. */
    List<MmapLock> locks(Vm target, Vm caller) {
        MmapLock first = lock(target);
        MmapLock second = lock(caller);
        if (has(MappingQuirk.TARGET_LOCKED_FIRST)) {
            return List.of(first, second);
        }
        if (first == second) {
            return List.of(first);
        }
        return first.number() < second.number() ? List.of(first, second) : List.of(second, first);
    }

    boolean has(MappingQuirk quirk) {
        return quirks.contains(quirk);
    }

    boolean kernelHasMemory() {
        return kernelAllocation.getAsBoolean();
    }

    boolean isDestroyed(Vm vm) {
        return destroyed.contains(vm);
    }

    MapTokens tokens() {
        return tokens;
    }

    RemotePages pages() {
        return pages;
    }

    MappingTable table() {
        return table;
    }
}
