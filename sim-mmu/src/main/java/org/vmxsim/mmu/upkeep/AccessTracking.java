package org.vmxsim.mmu.upkeep;

import org.vmxsim.mmu.ept.EptMmu;
import org.vmxsim.mmu.ept.Spte;
import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.vmx.ept.EptEntry;

/**
 * Tells which pages the guest has accessed since it was last asked. With EPT's accessed flags the flag says so.
 * Without, an entry that is to be watched loses all permissions and keeps them in bits that the processor ignores; the
 * EPT violation of the next access gives them back.
 */
public final class AccessTracking {
    private final EptMmu mmu;

    /**
     * Nothing watched.
     *
     * @param mmu the EPT
     */
    public AccessTracking(EptMmu mmu) {
        this.mmu = mmu;
    }

    /**
     * An entry as not accessed.
     *
     * @param spte an entry that maps a page
     * @param level its level
     * @param adDisabled whether processors leave the accessed flags of its table alone
     * @return the entry to write
     */
    public long old(long spte, int level, boolean adDisabled) {
        if (!adDisabled) {
            return spte & ~EptEntry.ACCESSED.mask();
        }
        return Spte.isAccessTracked(spte)
                ? spte
                : Spte.accessTracked(mmu.updates().writeProtected(spte, level));
    }

    private static boolean isYoung(long spte, boolean adDisabled) {
        return adDisabled ? !Spte.isAccessTracked(spte) : EptEntry.ACCESSED.isSet(spte);
    }

    /**
     * Makes a range not accessed.
     *
     * @param slot the memslot
     * @param firstGfn first guest frame
     * @param lastGfn last guest frame; both within the memslot
     * @return whether any part of it was accessed since the last time
     */
    public boolean clearYoung(Memslot slot, long firstGfn, long lastGfn) {
        return isYoung(slot, firstGfn, lastGfn, true);
    }

    /**
     * Whether a range was accessed since it was made not accessed.
     *
     * @param slot the memslot
     * @param firstGfn first guest frame
     * @param lastGfn last guest frame; both within the memslot
     * @return true if any part was
     */
    public boolean testYoung(Memslot slot, long firstGfn, long lastGfn) {
        return isYoung(slot, firstGfn, lastGfn, false);
    }

    private boolean isYoung(Memslot slot, long firstGfn, long lastGfn, boolean clear) {
        boolean[] young = new boolean[1];
        mmu.updates().update(slot, firstGfn, lastGfn, (gfn, level, adDisabled, spte) -> {
            young[0] |= isYoung(spte, adDisabled);
            return clear ? old(spte, level, adDisabled) : spte;
        });
        return young[0];
    }
}
