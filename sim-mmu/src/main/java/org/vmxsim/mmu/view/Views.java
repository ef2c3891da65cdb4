package org.vmxsim.mmu.view;

import java.util.BitSet;
import org.vmxsim.mmu.abi.Errno;
import org.vmxsim.mmu.abi.KvmResult;
import org.vmxsim.mmu.ept.AccessRules;
import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.mmu.memslot.Memslots;
import org.vmxsim.mmu.track.Mappings;

/**
 * The views of one virtual machine. View 0 is always there; in a new view everything is allowed. Error numbers are
 * those of the KVMI series' view commands.
 */
public final class Views {
    /** How many views there can be: the entries of an EPTP list. */
    public static final int MAX_VIEWS = 512;
    /** The view that a vCPU begins in. */
    public static final int DEFAULT_VIEW = 0;

    private static final int READ = 1;
    private static final int WRITE = 2;

    private final Memslots slots;
    private final Mappings mappings;
    private final ViewRoots roots;
    private final boolean switchable;
    private final Overlay[] overlays = new Overlay[MAX_VIEWS];
    private final BitSet visible = new BitSet(MAX_VIEWS);
    private int count = 1;
    private ViewAccessHandler handler = access -> ViewAccessHandler.Answer.EXIT;

    /**
     * The default view alone.
     *
     * @param slots the memslots
     * @param mappings what to do when permissions of a page change
     * @param roots the tables behind the views
     * @param switchable whether the processors have VMFUNC with EPTP switching
     */
    public Views(Memslots slots, Mappings mappings, ViewRoots roots, boolean switchable) {
        this.slots = slots;
        this.mappings = mappings;
        this.roots = roots;
        this.switchable = switchable;
        overlays[DEFAULT_VIEW] = new Overlay();
    }

    /**
     * Makes a view, with the lowest free id.
     *
     * @return its id; ENOSPC if there are 512
     */
    public KvmResult create() {
        for (int view = 0; view < MAX_VIEWS; view++) {
            if (overlays[view] == null) {
                overlays[view] = new Overlay();
                count++;
                return KvmResult.of(view);
            }
        }
        return KvmResult.failed(Errno.ENOSPC);
    }

    /**
     * Ends a view. vCPUs that are in it go on in the default view.
     *
     * @param view its id
     * @return 0; EINVAL if there is no such view, or it is the default view
     */
    public KvmResult destroy(int view) {
        if (view == DEFAULT_VIEW || !exists(view)) {
            return KvmResult.failed(Errno.EINVAL);
        }
        overlays[view] = null;
        visible.clear(view);
        count--;
        roots.free(view);
        roots.reloadAll();
        return KvmResult.OK;
    }

    /**
     * Whether there is a view.
     *
     * @param view any number
     * @return true if it is the id of a view
     */
    public boolean exists(int view) {
        return view >= 0 && view < MAX_VIEWS && overlays[view] != null;
    }

    /**
     * How many views there are.
     *
     * @return 1 to 512
     */
    public int count() {
        return count;
    }

    /**
     * Puts a view into the EPTP list, or takes it out: whether the guest can switch to it by VMFUNC. To begin with no
     * view is visible. What the guest uses to switch to a view that is not visible, or not there, raises #UD.
     *
     * @param view its id
     * @param isVisible whether it is in the list
     * @return 0; EINVAL if there is no such view; ENOSYS if the processors have no EPTP switching
     */
    public KvmResult visible(int view, boolean isVisible) {
        if (!exists(view)) {
            return KvmResult.failed(Errno.EINVAL);
        }
        if (!switchable) {
            return KvmResult.failed(Errno.ENOSYS);
        }
        if (visible.get(view) != isVisible) {
            visible.set(view, isVisible);
            roots.reloadAll();
        }
        return KvmResult.OK;
    }

    /**
     * Whether the guest can switch to a view.
     *
     * @param view any number
     * @return true if it is in the EPTP list
     */
    public boolean isVisible(int view) {
        return exists(view) && visible.get(view);
    }

    /**
     * The next view that the guest can switch to.
     *
     * @param from where to begin, at least 0
     * @return the id of a visible view, at least {@code from}; negative if there is none
     */
    public int nextVisible(int from) {
        return visible.nextSetBit(from);
    }

    /**
     * Restricts what the guest may do to a page in a view, whatever memslot is there or comes there later.
     *
     * @param view id of the view
     * @param gfn the guest frame
     * @param permissions bit 0 read, bit 1 write, bit 2 execute; 7 ends the restriction
     * @return 0; EINVAL if there is no such view, for other bits, and for writes without reads, which EPT cannot
     *     express
     */
    public KvmResult access(int view, long gfn, int permissions) {
        boolean writeOnly = (permissions & (READ | WRITE)) == WRITE;
        if (!exists(view) || (permissions & ~AccessRules.ALL) != 0 || writeOnly) {
            return KvmResult.failed(Errno.EINVAL);
        }
        if (overlays[view].access(gfn, permissions)) {
            changed(gfn);
        }
        return KvmResult.OK;
    }

    /**
     * What the guest may do to a page in a view, as far as views decide.
     *
     * @param view id of the view
     * @param gfn the guest frame
     * @return the permissions, or EINVAL if there is no such view
     */
    public KvmResult access(int view, long gfn) {
        return exists(view) ? KvmResult.of(overlays[view].access(gfn)) : KvmResult.failed(Errno.EINVAL);
    }

    /**
     * Chooses whether EPT violations of a page in a view may go to the guest as #VE. They do where the vCPU has a
     * virtualization-exception information page; to begin with every page suppresses #VE.
     *
     * @param view id of the view
     * @param gfn the guest frame
     * @param suppress true for VM exits, false for #VE
     * @return 0; EINVAL if there is no such view
     */
    public KvmResult suppressVe(int view, long gfn, boolean suppress) {
        if (!exists(view)) {
            return KvmResult.failed(Errno.EINVAL);
        }
        if (overlays[view].suppressVe(gfn, suppress)) {
            changed(gfn);
        }
        return KvmResult.OK;
    }

    /**
     * Puts the memory of another page behind a page in a view (KVMI: CHANGE_GFN; altp2m's change of a frame), or ends
     * that. It is the memory of the other page's memslot, whatever a view has put behind that one; accesses are judged
     * by the restrictions of the page that is accessed, by who tracks the memory, and by the sub-page bitmaps of both,
     * and are logged for the page whose memory it is. While that has no memslot, there is no memory. Only outside
     * system-management mode.
     *
     * @param view id of the view
     * @param gfn the guest frame
     * @param newGfn the guest frame whose memory it gets; the same frame, or -1, for its own
     * @return 0; EINVAL if there is no such view, or one of two frames has no memslot
     */
    public KvmResult changeGfn(int view, long gfn, long newGfn) {
        long backing = newGfn == -1 ? gfn : newGfn;
        boolean there = gfn == backing || slots.at(0, gfn) != null && slots.at(0, backing) != null;
        if (!exists(view) || !there) {
            return KvmResult.failed(Errno.EINVAL);
        }
        if (overlays[view].backing(gfn, backing)) {
            changed(gfn);
        }
        return KvmResult.OK;
    }

    /**
     * Which page's memory is behind a page in a view.
     *
     * @param view any number
     * @param gfn the guest frame
     * @return the frame itself, or as {@link #changeGfn} has it, outside system-management mode
     */
    public long backing(int view, long gfn) {
        return exists(view) ? overlays[view].backing(gfn) : gfn;
    }

    /**
     * Whether any page of a view has the memory of another behind it.
     *
     * @param view any number
     * @return true if {@link #changeGfn} has had an effect that lasts
     */
    public boolean hasBackings(int view) {
        return exists(view) && overlays[view].hasBackings();
    }

    Memslot slot(long gfn) {
        return slots.at(0, gfn);
    }

    /**
     * Whether EPT violations of a page cause VM exits.
     *
     * @param view id of the view
     * @param gfn the guest frame
     * @return false if they may go to the guest; true if there is no such view
     */
    public boolean suppressesVe(int view, long gfn) {
        return !exists(view) || overlays[view].suppressVe(gfn);
    }

    /**
     * The largest level that may map a frame in a view.
     *
     * @param view id of the view
     * @param gfn the guest frame
     * @return 1 to 3
     */
    public int largestLevel(int view, long gfn) {
        return exists(view) ? overlays[view].largestLevel(gfn) : 3;
    }

    private void changed(long gfn) {
        for (int space = 0; space < Memslots.ADDRESS_SPACES; space++) {
            Memslot slot = slots.at(space, gfn);
            if (slot != null) {
                mappings.zap(slot, gfn, gfn);
            }
        }
    }

    /**
     * What the guest may do to a page in a view, as {@link #access(int, long)}.
     *
     * @param view any number
     * @param gfn the guest frame
     * @return the permissions; all of them if there is no such view
     */
    public int permissions(int view, long gfn) {
        return exists(view) ? overlays[view].access(gfn) : AccessRules.ALL;
    }

    /**
     * Sets who decides about accesses that an overlay denies. Without one they all go to the caller of the vCPU.
     *
     * @param newHandler the handler, or null for none
     */
    public void onDenied(ViewAccessHandler newHandler) {
        handler = newHandler == null ? access -> ViewAccessHandler.Answer.EXIT : newHandler;
    }

    /**
     * Asks the handler.
     *
     * @param access a denied access
     * @return its answer
     */
    public ViewAccessHandler.Answer ask(ViewAccess access) {
        return handler.denied(access);
    }
}
