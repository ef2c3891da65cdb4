package org.vmxsim.mmu.memslot;

import org.vmxsim.mmu.abi.Errno;

/**
 * A checked but not yet made change of the memslots: what goes and what comes.
 *
 * @param removed the memslot that goes, or null
 * @param added the memslot that comes, or null
 * @param errno why the change is refused, or null
 */
public record MemslotChange(Memslot removed, Memslot added, Errno errno) {
    static MemslotChange refused(Errno errno) {
        return new MemslotChange(null, null, errno);
    }
}
