package org.vmxsim.kvmi.memory;

import org.vmxsim.mmu.Vm;
import org.vmxsim.mmu.abi.Errno;

/** Hypercall 33, KVM_HC_MEM_UNMAP: {@code kvmi_host_mem_unmap} of the KVMI series v4. */
final class UnmapCall extends MappingCall {
    private final RemoteMappings mappings;
    private final long mapGpa;
    private MappingTable.Entry entry;
    private long mapHva;

    UnmapCall(RemoteMappings mappings, Vm caller, long mapGpa) {
        super(caller);
        this.mappings = mappings;
        this.mapGpa = mapGpa;
        then(this::findMapping);
    }

    @Override
    public String function() {
        return "kvmi_host_mem_unmap";
    }

    @Override
    public String toString() {
        return "unmap of gpa 0x" + Long.toHexString(mapGpa) + " by address space "
                + mappings.lock(caller()).number();
    }

    private boolean findMapping() {
        entry = mappings.table().find(caller(), mapGpa);
        if (entry == null) {
            return fail(Errno.ENOENT);
        }
        if (entry.ending) {
            return fail(Errno.EALREADY);
        }
        if (mappings.has(MappingQuirk.BORROWED_PAGES)) {
            // It is off the list whatever becomes of the rest.
            mappings.table().remove(entry);
        } else {
            entry.ending = true;
        }
        then(this::findPage);
        return true;
    }

    private boolean findPage() {
        boolean someones = mappings.has(MappingQuirk.BORROWED_PAGES) || mappings.has(MappingQuirk.KEYED_BY_GPA);
        mapHva = someones ? RemoteMappings.hva(caller(), mapGpa) : entry.localHva;
        if (mapHva == RemoteMappings.NO_HVA) {
            return fail(Errno.EFAULT);
        }
        locked(mappings.locks(entry.target, caller()), this::replacePage);
        return true;
    }

    private void replacePage() {
        Errno refusal;
        if (mappings.has(MappingQuirk.BORROWED_PAGES)) {
            refusal = mappings.pages().replaceByFresh(caller().host(), mapHva).errno();
        } else {
            mappings.table().remove(entry);
            refusal = mappings.pages().unmap(caller().host(), mapHva).errno();
        }
        if (refusal != null) {
            fail(refusal);
        }
    }
}
