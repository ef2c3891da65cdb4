package org.vmxsim.kvmi.memory;

import org.vmxsim.core.paging.GuestPagingWalker;
import org.vmxsim.kvmi.registers.LinearAddresses;
import org.vmxsim.mmu.Vcpu;
import org.vmxsim.mmu.abi.Errno;
import org.vmxsim.mmu.guest.GuestPageTables;
import org.vmxsim.mmu.guest.VmMemory;

/** A token in the memory of the guest that shows it, at a linear address that a supervisor may read. */
final class GuestToken {
    private static final long ALIGNMENT_CHECK = 1 << 18;
    private static final int PAGE_BYTES = 4096;

    private GuestToken() {}

    /**
     * Reads a token.
     *
     * @param vcpu whose page tables and memory
     * @param gva linear address of the first byte
     * @param nextFrame whether a token that crosses a page goes on in the next guest-physical page
     * @param token filled
     * @return null; ENOENT where nothing is mapped at the address, as if the token were unknown; EFAULT where the guest
     *     has no memory
     */
    static Errno read(Vcpu vcpu, long gva, boolean nextFrame, byte[] token) {
        int first = (int) Math.min(token.length, PAGE_BYTES - (gva & PAGE_BYTES - 1));
        long gpa = translate(vcpu, gva);
        Errno failed = copy(vcpu, gpa, token, 0, first);
        if (failed != null || first == token.length) {
            return failed;
        }
        long rest = nextFrame ? gpa + first : translate(vcpu, gva + first);
        return copy(vcpu, rest, token, first, token.length - first);
    }

    private static long translate(Vcpu vcpu, long gva) {
        boolean smapOverride = (vcpu.state().rflagsSystem & ALIGNMENT_CHECK) != 0;
        return LinearAddresses.gpa(vcpu, gva, smapOverride ? GuestPagingWalker.SMAP_OVERRIDE : 0);
    }

    private static Errno copy(Vcpu vcpu, long gpa, byte[] token, int offset, int count) {
        if (gpa == GuestPageTables.NONE) {
            return Errno.ENOENT;
        }
        if (vcpu.memory().hpa(gpa) == VmMemory.NONE) {
            return Errno.EFAULT;
        }
        System.arraycopy(vcpu.memory().read(gpa, count), 0, token, offset, count);
        return null;
    }
}
