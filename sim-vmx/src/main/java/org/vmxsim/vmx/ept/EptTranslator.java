package org.vmxsim.vmx.ept;

import org.vmxsim.core.bits.BitField;
import org.vmxsim.core.paging.AccessContext;
import org.vmxsim.core.paging.GuestPhysicalTranslator;
import org.vmxsim.core.paging.Radix;
import org.vmxsim.core.tlb.TranslationStructures;
import org.vmxsim.core.tlb.Translations;
import org.vmxsim.spp.SppEvent;

/**
 * The second level of translation inside VMX non-root operation: asks the {@link EptWalker}, answers the cursor, and
 * turns everything else into a waiting VM exit or a virtualization exception.
 */
public final class EptTranslator implements GuestPhysicalTranslator {
    /**
     * What the end of a guest-physical access depends on besides tables and controls: the state of the processor at
     * that moment. Implementations: VMX over a processor; {@link #QUIET} where there is no processor.
     */
    public interface GuestCondition {
        /**
         * Whether the guest is in protected mode.
         *
         * @return CR0.PE
         */
        boolean protectedMode();

        /**
         * Whether an event is being delivered through the IDT.
         *
         * @return true from the recognition of the event until its handler's first instruction
         */
        boolean deliveringEvent();

        /**
         * Whether the instruction is an IRET that has unblocked NMIs. SDM Vol. 3C, "Exit Qualification for EPT
         * Violations", bit 12.
         *
         * @return the value of exit-qualification bit 12
         */
        boolean nmiUnblocking();

        /** Protected mode, and nothing going on. */
        GuestCondition QUIET = new GuestCondition() {
            @Override
            public boolean protectedMode() {
                return true;
            }

            @Override
            public boolean deliveringEvent() {
                return false;
            }

            @Override
            public boolean nmiUnblocking() {
                return false;
            }
        };
    }

    private static final BitField NMI_UNBLOCKING = BitField.bit(12);

    private final EptWalker walker;
    private final EptControls controls;
    private final GuestCondition guest;
    private final VirtualizationException exceptions;
    private final EptWalk walk = new EptWalk();
    private final EptExit exit = new EptExit();
    private final boolean maskMayBeCached;
    private EptOutcome outcome = EptOutcome.TRANSLATED;
    private Translations translations;
    private GuestPhysicalMappings mappings;

    /**
     * A translator.
     *
     * @param walker the hardware walk
     * @param controls the VM-execution controls; VM entry changes them in place
     * @param guest the state of the processor that exits depend on
     */
    public EptTranslator(EptWalker walker, EptControls controls, GuestCondition guest) {
        this.walker = walker;
        this.controls = controls;
        this.guest = guest;
        this.exceptions = new VirtualizationException(walker.memory());
        this.maskMayBeCached = walker.subPages().options().permissionsMayBeCached();
    }

    /**
     * Connects cached translations: an EPT violation drops what was cached for its address, and where structures are
     * modelled (cycle engine) accesses go through them. To be called again when the modelled structures change.
     *
     * @param cached the processor's cached translations, or null for none
     */
    public void translations(Translations cached) {
        translations = cached;
        TranslationStructures structures = cached == null ? null : cached.structures();
        mappings = structures == null ? null : new GuestPhysicalMappings(walker, structures);
        walker.subPages().vectors(structures == null ? null : structures.subPageVectors);
    }

    /**
     * The hardware walk.
     *
     * @return the walker given to the constructor
     */
    public EptWalker walker() {
        return walker;
    }

    /**
     * The VM-execution controls in use.
     *
     * @return the object given to the constructor
     */
    public EptControls controls() {
        return controls;
    }

    /**
     * The exit recorded last.
     *
     * @return the record; {@link EptExit#pending} is set by {@link #translate} when it answers VM_EXIT
     */
    public EptExit exit() {
        return exit;
    }

    /**
     * How the access asked last ended.
     *
     * @return the outcome
     */
    public EptOutcome outcome() {
        return outcome;
    }

    /**
     * Where the walk of the access asked last ended.
     *
     * @return the cursor
     */
    public EptWalk walk() {
        return walk;
    }

    @Override
    public int translate(AccessContext access) {
        EptOutcome ended =
                mappings == null ? walker.access(controls, access, walk) : mappings.access(controls, access, walk);
        if (outcome != ended) {
            // Not stored when it stays the same: storing a reference costs more than the rest of this method.
            outcome = ended;
        }
        if (ended != EptOutcome.TRANSLATED) {
            return leave(access, ended);
        }
        access.hpa = walk.hpa();
        if ((access.access & AccessContext.WALK) == 0) {
            answer(access);
        }
        return TRANSLATED;
    }

    /** What a TLB entry is made of; who reads a guest paging structure needs the address alone. */
    private void answer(AccessContext access) {
        int level = walk.level;
        int rights = walk.rights(controls.modeBasedExecute);
        access.permissions = rights;
        access.pageShift = Radix.shift(level);
        access.writeMask = (rights & AccessContext.W) != 0 ? -1 : subPageMask();
        access.needsDirty = controls.accessedDirty() && !EptEntry.DIRTY.isSet(walk.entry);
        access.memoryType = (int) EptEntry.MEMORY_TYPE.get(walk.entry);
        access.ignorePat = EptEntry.IGNORE_PAT.isSet(walk.entry);
    }

    private int subPageMask() {
        return walk.consultedSppt && maskMayBeCached ? walk.subPages.writeMask() : 0;
    }

    private int leave(AccessContext access, EptOutcome ended) {
        return switch (ended) {
            case VIOLATION -> violate(access);
            // No exit qualification is defined for an EPT misconfiguration.
            case MISCONFIGURATION -> record(access, EptExit.EPT_MISCONFIGURATION, 0, false);
            case SPP_MISS -> record(access, EptExit.SPP_EVENT, sppEvent(true), true);
            case SPP_MISCONFIGURATION -> record(access, EptExit.SPP_EVENT, sppEvent(false), true);
            case PML_FULL ->
                record(access, EptExit.PAGE_MODIFICATION_LOG_FULL, NMI_UNBLOCKING.put(0, nmiUnblocking()), false);
            case TRANSLATED, VIRTUALIZATION_EXCEPTION -> throw new AssertionError("not an end by exit: " + ended);
        };
    }

    private long sppEvent(boolean miss) {
        return new SppEvent(miss, guest.nmiUnblocking()).encode();
    }

    private long nmiUnblocking() {
        return guest.nmiUnblocking() ? 1 : 0;
    }

    private int violate(AccessContext access) {
        long qualification = describe(access).encode();
        if (translations != null) {
            // "Operations that Invalidate Cached Mappings": before the exit or exception, so that a retry walks anew.
            translations.eptViolation(access.gpa, access.glaValid, access.gla);
        }
        if (exceptions.replaces(controls, walk, guest)) {
            exceptions.save(controls, access, qualification);
            outcome = EptOutcome.VIRTUALIZATION_EXCEPTION;
            return VIRTUALIZATION_EXCEPTION;
        }
        return record(access, EptExit.EPT_VIOLATION, qualification, access.glaValid);
    }

    private int record(AccessContext access, int reason, long qualification, boolean withLinearAddress) {
        exit.pending = true;
        exit.reason = reason;
        exit.qualification = qualification;
        exit.gpa = access.gpa;
        exit.gla = access.gla;
        exit.glaValid = withLinearAddress;
        return VM_EXIT;
    }

    /** SDM Vol. 3C, table "Exit Qualification for EPT Violations". Bits of what is not advertised are 0. */
    private EptViolation describe(AccessContext access) {
        boolean finalAccess = access.glaValid && (access.access & (AccessContext.WALK | AccessContext.AD_UPDATE)) == 0;
        int rights = walk.rights(controls.modeBasedExecute);
        return new EptViolation(
                reportedAccess(access),
                controls.modeBasedExecute ? rights : rights & ~AccessContext.XU,
                access.glaValid,
                finalAccess,
                finalAccess && walker.capabilities().advancedExitInformation() ? access.guestRights & 7 : 0,
                guest.nmiUnblocking(),
                (access.access & AccessContext.SHADOW_STACK) != 0,
                controls.supervisorShadowStack()
                        && walk.complete
                        && EptEntry.SUPERVISOR_SHADOW_STACK.isSet(walk.entry));
    }

    private int reportedAccess(AccessContext access) {
        int asked = access.access;
        if ((asked & AccessContext.FETCH) != 0) {
            return EptViolation.FETCH;
        }
        // Treated as a write, or an update of flags in a guest paging-structure entry: read and write both.
        if (EptAccess.isWalkTreatedAsWrite(controls, access) || (asked & AccessContext.AD_UPDATE) != 0) {
            return EptViolation.READ | EptViolation.WRITE;
        }
        if ((asked & AccessContext.WRITE) == 0) {
            return EptViolation.READ;
        }
        boolean update = (asked & AccessContext.READ) != 0;
        return update && walker.subPages().options().updateReportsRead()
                ? EptViolation.READ | EptViolation.WRITE
                : EptViolation.WRITE;
    }
}
