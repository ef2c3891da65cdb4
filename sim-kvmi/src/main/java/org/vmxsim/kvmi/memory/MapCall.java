package org.vmxsim.kvmi.memory;

import org.vmxsim.mmu.Vm;
import org.vmxsim.mmu.abi.Errno;
import org.vmxsim.mmu.abi.KvmResult;

/** Hypercall 32, KVM_HC_MEM_MAP: {@code kvmi_host_mem_map} of the KVMI series v4. */
final class MapCall extends MappingCall {
    /** Where the token comes from. */
    @FunctionalInterface
    interface TokenSource {
        /** Fills in the token; or says why there is none. */
        Errno read(byte[] token);
    }

    private final RemoteMappings mappings;
    private final TokenSource source;
    private final long reqGpa;
    private final long mapGpa;
    private Vm target;
    private long reqHva;
    private long mapHva;

    MapCall(RemoteMappings mappings, Vm caller, TokenSource source, long reqGpa, long mapGpa) {
        super(caller);
        this.mappings = mappings;
        this.source = source;
        this.reqGpa = reqGpa;
        this.mapGpa = mapGpa;
        then(this::findTarget);
    }

    @Override
    public String function() {
        return "kvmi_host_mem_map";
    }

    @Override
    public String toString() {
        return "map of gpa 0x" + Long.toHexString(reqGpa) + " at gpa 0x" + Long.toHexString(mapGpa)
                + " by address space " + mappings.lock(caller()).number();
    }

    /** The token is used up before any address is looked at. */
    private boolean findTarget() {
        byte[] token = new byte[MapTokens.TOKEN_BYTES];
        Errno unreadable = source.read(token);
        if (unreadable != null) {
            return fail(unreadable);
        }
        target = mappings.tokens().take(token);
        if (target == null) {
            return fail(Errno.ENOENT);
        }
        then(this::findPages);
        return true;
    }

    private boolean findPages() {
        if (!lookUp()) {
            return fail(Errno.EFAULT);
        }
        locked(mappings.locks(target, caller()), this::replacePage);
        if (mappings.has(MappingQuirk.NOTED_LAST)) {
            then(this::note);
        }
        return true;
    }

    private boolean lookUp() {
        reqHva = RemoteMappings.hva(target, reqGpa);
        mapHva = RemoteMappings.hva(caller(), mapGpa);
        return reqHva != RemoteMappings.NO_HVA && mapHva != RemoteMappings.NO_HVA;
    }

    private void replacePage() {
        Errno refusal = mappings.has(MappingQuirk.BORROWED_PAGES) ? null : refuse();
        boolean noted = !mappings.has(MappingQuirk.NOTED_LAST);
        if (refusal == null && noted && !mappings.kernelHasMemory()) {
            refusal = Errno.ENOMEM;
        }
        if (refusal == null) {
            refusal = show().errno();
        }
        if (refusal != null) {
            fail(refusal);
        } else if (noted) {
            mappings.table().add(mapping());
        }
    }

    /** What changed while the call waited counts. */
    private Errno refuse() {
        if (mappings.isDestroyed(target)) {
            return Errno.EINVAL;
        }
        return lookUp() ? null : Errno.EFAULT;
    }

    private KvmResult show() {
        if (mappings.has(MappingQuirk.BORROWED_PAGES)) {
            return mappings.pages().borrow(target.host(), reqHva, caller().host(), mapHva);
        }
        mappings.table().forgetEnded();
        mappings.follow(target);
        mappings.follow(caller());
        return mappings.pages().map(target.host(), reqHva, caller().host(), mapHva);
    }

    private boolean note() {
        if (!mappings.kernelHasMemory()) {
            return fail(Errno.ENOMEM);
        }
        mappings.table().add(mapping());
        return true;
    }

    private MappingTable.Entry mapping() {
        return new MappingTable.Entry(caller(), mapGpa, target, reqGpa, mapHva);
    }
}
