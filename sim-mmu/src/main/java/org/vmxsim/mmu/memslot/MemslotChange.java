package org.vmxsim.mmu.memslot;

import org.vmxsim.mmu.abi.Errno;

/**
 * A checked but not yet made change of the memslots: what goes and what comes.
 *
 * @param kind what happens; null if the change is refused
 * @param removed the memslot that goes, or null
 * @param added the memslot that comes, or null
 * @param kept the memslot that stays and gets other flags, or null
 * @param flags the flags of what comes or stays
 * @param errno why the change is refused, or null
 */
public record MemslotChange(Kind kind, Memslot removed, Memslot added, Memslot kept, int flags, Errno errno) {
    /** What happens: KVM's {@code enum kvm_mr_change}. */
    public enum Kind {
        /** A memslot comes. */
        CREATE,
        /** A memslot goes. */
        DELETE,
        /** A memslot gets another guest-physical address. */
        MOVE,
        /** Writes to a memslot are to be logged, or no longer. */
        FLAGS_ONLY,
        /** Nothing. */
        NONE
    }

    static MemslotChange refused(Errno errno) {
        return new MemslotChange(null, null, null, null, 0, errno);
    }
}
