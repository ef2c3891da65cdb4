package org.vmxsim.core.access;

import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.paging.AccessContext;
import org.vmxsim.core.paging.LinearTranslation;

/**
 * The functional engine's way to memory: a walk, and then the page stands in the memory unit's table with the rights
 * that need no further check. Pages of devices, pages with data breakpoints, and all pages while alignment is checked
 * have no tags; pages with decoded code, pages whose dirty flag is clear, and pages that the second level protects
 * (sub-pages too) have no write tag. Shadow-stack accesses have a table of their own, for the accesses that are of the
 * mode of the CPL.
 */
public final class FunctionalAccess extends TranslatingAccess {
    private static final int OF_ANY_CONTEXT =
            AccessContext.READ | AccessContext.WRITE | AccessContext.FETCH | AccessContext.LOCKED;

    private static final int WHOLE_PAGE = -1;

    private final SubPageTable subPages = new SubPageTable();
    private final SubPageTable shadowStacks = new SubPageTable();

    /**
     * A way to memory.
     *
     * @param cpu the processor whose accesses these are
     */
    public FunctionalAccess(Processor cpu) {
        super(cpu);
        cpu.translations.add(subPages);
        cpu.translations.add(shadowStacks);
    }

    @Override
    protected long translate(long linear, int sizeBytes, int access) {
        if ((access & AccessContext.SHADOW_STACK) != 0) {
            return translateShadowStack(linear, sizeBytes, access);
        }
        boolean ofContext = (access & ~OF_ANY_CONTEXT) == privilege;
        if (ofContext && (access & AccessContext.WRITE) != 0) {
            long hpa = subPages.find(linear, sizeBytes);
            if (hpa != SubPageTable.MISS) {
                return hpa;
            }
        }
        int outcome = walker.walk(linear, sizeBytes, access, translation);
        if (outcome != LinearTranslation.OK) {
            return fail(outcome, linear);
        }
        if (ofContext && memory.isRam(translation.hpa)) {
            enter(linear, access);
        }
        return translation.hpa;
    }

    private long translateShadowStack(long linear, int sizeBytes, int access) {
        boolean ofContext = (access & AccessContext.USER) == (privilege & AccessContext.USER);
        if (ofContext) {
            long hpa = shadowStacks.find(linear, sizeBytes);
            if (hpa != SubPageTable.MISS) {
                return hpa;
            }
        }
        int outcome = walker.walk(linear, sizeBytes, access, translation);
        if (outcome != LinearTranslation.OK) {
            return fail(outcome, linear);
        }
        int both = AccessContext.R | AccessContext.W;
        boolean readableAndWritable = translation.dirty && (translation.permissions & both) == both;
        // a key of the page may allow loads and not stores
        boolean keyAllows =
                !controls.keyForbids(translation.guestRights, translation.protectionKey, access | AccessContext.WRITE);
        if (ofContext && readableAndWritable && keyAllows && memory.isRam(translation.hpa)) {
            cpu.translations.noteGuestPage(linear, translation.guestPageShift);
            shadowStacks.enter(linear, translation.hpa, WHOLE_PAGE);
        }
        return translation.hpa;
    }

    private void enter(long linear, int access) {
        cpu.translations.noteGuestPage(linear, translation.guestPageShift);
        if ((access & AccessContext.FETCH) != 0) {
            cpu.mem.enterFetch(linear, translation.hpa);
            return;
        }
        if (cpu.breakpoints.watchesPage(linear) || checksAlignment()) {
            // the memory unit knows neither breakpoints nor alignment: accesses to the page have to come here
            return;
        }
        boolean readable = (translation.permissions & AccessContext.R) != 0;
        boolean writable = translation.dirty
                && (translation.permissions & AccessContext.W) != 0
                && !controls.forbids(
                        translation.guestRights, translation.protectionKey, AccessContext.WRITE | privilege)
                && !memory.codePages().isMarked(translation.hpa >>> 12);
        cpu.mem.enter(linear, translation.hpa, readable, writable);
        boolean subPageWrite = (access & AccessContext.WRITE) != 0
                && readable
                && translation.dirty
                && (translation.permissions & AccessContext.W) == 0;
        if (subPageWrite) {
            subPages.enter(linear, translation.hpa, translation.writeMask);
        }
    }
}
