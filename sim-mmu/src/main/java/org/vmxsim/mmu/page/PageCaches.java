package org.vmxsim.mmu.page;

import java.util.ArrayList;
import java.util.List;
import org.vmxsim.mmu.host.FrameAllocator;

/** The {@link PageCache} of each vCPU of one virtual machine: EPT and SPPT structures come from the same. */
public final class PageCaches {
    private final FrameAllocator frames;
    private final List<PageCache> caches = new ArrayList<>();

    /**
     * No vCPU has one yet.
     *
     * @param frames where frames come from
     */
    public PageCaches(FrameAllocator frames) {
        this.frames = frames;
    }

    /**
     * The cache of a vCPU; empty until it is topped up for the first time.
     *
     * @param vcpu number of the vCPU, at least 0
     * @return always the same for the same number
     */
    public PageCache of(int vcpu) {
        while (caches.size() <= vcpu) {
            caches.add(new PageCache(frames));
        }
        return caches.get(vcpu);
    }

    /** Gives the frames of all vCPUs back. */
    public void clear() {
        caches.forEach(PageCache::clear);
    }
}
