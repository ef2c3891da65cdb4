package org.vmxsim.kvmi.memory;

import java.util.ArrayList;
import java.util.List;

/** What guests see, told without frames: contents of pages, and who looks at whose. */
final class NaiveMappings {
    /** The first and the last byte of a page. */
    static final class Content {
        int first;
        int last;

        Content(int first, int last) {
            this.first = first;
            this.last = last;
        }

        Content copy() {
            return new Content(first, last);
        }
    }

    /** A page that is seen in the place of another. */
    static final class Shown {
        Content content;
        final int target;
        final int page;
        boolean live = true;
        /** The guest-physical page that the target had when it was mapped is nobody's any more. */
        boolean targetDied;

        Shown(Content content, int target, int page) {
            this.content = content;
            this.target = target;
            this.page = page;
        }
    }

    final Content[][] own;
    final Shown[][] shown;

    NaiveMappings(int vms, int pages) {
        own = new Content[vms][pages];
        shown = new Shown[vms][pages];
    }

    void newVm(int vm, int first) {
        for (int page = 0; page < own[vm].length; page++) {
            own[vm][page] = new Content(first + page, 0);
        }
    }

    Content visible(int vm, int page) {
        return shown[vm][page] == null ? own[vm][page] : shown[vm][page].content;
    }

    boolean isShown(int vm, int page) {
        return all().stream().anyMatch(seen -> seen.live && seen.target == vm && seen.page == page);
    }

    /** Whether the page is shared with another virtual machine now. */
    boolean isShared(int vm, int page) {
        return isShown(vm, page) || shown[vm][page] != null && shown[vm][page].live;
    }

    List<Shown> all() {
        List<Shown> all = new ArrayList<>();
        for (Shown[] ofVm : shown) {
            for (Shown seen : ofVm) {
                if (seen != null) {
                    all.add(seen);
                }
            }
        }
        return all;
    }

    /** 0 or the negated error number, of two pages that are in memslots of living virtual machines. */
    long map(int caller, int mapPage, int target, int reqPage) {
        if (shown[target][reqPage] != null || isShown(target, reqPage)) {
            return MappingWorld.EALREADY;
        }
        if (caller == target && mapPage == reqPage) {
            return MappingWorld.EINVAL;
        }
        if (shown[caller][mapPage] != null || isShown(caller, mapPage)) {
            return MappingWorld.EALREADY;
        }
        shown[caller][mapPage] = new Shown(own[target][reqPage], target, reqPage);
        return 0;
    }

    long unmap(int caller, int mapPage) {
        boolean known = shown[caller][mapPage] != null;
        shown[caller][mapPage] = null;
        return known ? 0 : MappingWorld.ENOENT;
    }

    /** Pages of a virtual machine are no longer where they were: what they show ends, who sees them keeps a copy. */
    void leave(int vm, int firstPage, int lastPage) {
        for (int page = firstPage; page <= lastPage; page++) {
            shown[vm][page] = null;
        }
        for (Shown seen : all()) {
            if (seen.live && seen.target == vm && seen.page >= firstPage && seen.page <= lastPage) {
                seen.content = seen.content.copy();
                seen.live = false;
            }
        }
    }

    void die(int vm) {
        leave(vm, 0, own[vm].length - 1);
        all().stream().filter(seen -> seen.target == vm).forEach(seen -> seen.targetDied = true);
    }
}
