package org.vmxsim.kvmi.device;

import org.vmxsim.core.paging.AccessContext;
import org.vmxsim.kvmi.memory.MapTokens;
import org.vmxsim.kvmi.memory.RemoteMappings;
import org.vmxsim.kvmi.registers.LinearAddresses;
import org.vmxsim.mmu.Vcpu;
import org.vmxsim.mmu.abi.Errno;
import org.vmxsim.mmu.guest.GuestCpuid;
import org.vmxsim.mmu.guest.GuestPageTables;
import org.vmxsim.mmu.guest.VmMemory;

/**
 * The kernel on a vCPU of a virtual machine. Hypercalls have the operands that the vCPU would have in its registers:
 * the token lies on the kernel's stack in guest memory, and the host reads it there by the vCPU's page tables.
 */
public final class VcpuKernel implements GuestKernel {
    private static final int HYPERVISOR_LEAF = 0x4000_0000;
    private static final int[] SIGNATURE = {0x4b4d_564b, 0x564b_4d56, 0x4d};

    private final Vcpu vcpu;
    private final RemoteMappings mappings;
    private final long stackGva;

    /**
     * The kernel on a vCPU.
     *
     * @param vcpu the vCPU
     * @param mappings the host's side of the two hypercalls
     * @param stackGva address of 32 bytes of the kernel's own that lie in one page
     * @throws IllegalArgumentException if one is null, or the bytes cross a page
     */
    public VcpuKernel(Vcpu vcpu, RemoteMappings mappings, long stackGva) {
        boolean inPage = (stackGva & GuestProcess.PAGE_BYTES - 1) <= GuestProcess.PAGE_BYTES - MapTokens.TOKEN_BYTES;
        if (vcpu == null || mappings == null || !inPage) {
            throw new IllegalArgumentException("need a vCPU, the host's mappings and 32 bytes in one page, got " + vcpu
                    + ", " + mappings + " and 0x" + Long.toHexString(stackGva));
        }
        this.vcpu = vcpu;
        this.mappings = mappings;
        this.stackGva = stackGva;
    }

    @Override
    public boolean hasParavirtualization() {
        GuestCpuid cpuid = new GuestCpuid(vcpu.processor().model);
        boolean named = true;
        for (int i = 0; i < SIGNATURE.length; i++) {
            named &= cpuid.register(HYPERVISOR_LEAF, 0, 1 + i, vcpu.id(), 0) == SIGNATURE[i];
        }
        return named;
    }

    /**
     * As hypercall 32; -EFAULT if the guest has taken its kernel's stack away. A host with quirks may never return:
     * then the virtual machine has ended, and this gives {@link RemoteMappings#NEVER_RETURNS}, which is no errno.
     */
    @Override
    public long map(byte[] token, long targetGpa, long localGpa) {
        long stackGpa = LinearAddresses.gpa(vcpu, stackGva, AccessContext.WRITE);
        if (stackGpa == GuestPageTables.NONE || vcpu.memory().hpa(stackGpa, true) == VmMemory.NONE) {
            return -Errno.EFAULT.number();
        }
        vcpu.memory().load(stackGpa, token);
        return mappings.map(vcpu, stackGva, targetGpa, localGpa);
    }

    @Override
    public long unmap(long localGpa) {
        return mappings.unmap(vcpu, localGpa);
    }
}
