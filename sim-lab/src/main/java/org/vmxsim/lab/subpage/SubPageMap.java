package org.vmxsim.lab.subpage;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.vmxsim.core.cpu.LinearAccess;
import org.vmxsim.lab.report.RunReport;
import org.vmxsim.mmu.Vm;

/** Which guest pages were sub-page protected at some time, and where stores landed in them. */
public final class SubPageMap implements LinearAccess.StoreObserver {
    private static final int SUB_PAGE_SHIFT = 7;
    private static final int REGION_SHIFT = 9;
    private static final long REGION_BITMAP_BYTES = 512 * Integer.BYTES;

    private final Vm vm;
    private final TreeSet<Long> gfns = new TreeSet<>();
    private final Map<Long, long[]> landedByFrame = new HashMap<>();
    private long lastFrame = -1;
    private long[] lastLanded;

    /**
     * Nothing is watched yet.
     *
     * @param vm whose pages
     */
    public SubPageMap(Vm vm) {
        this.vm = vm;
    }

    /** The page is being protected: stores to it count from now on. */
    void watch(long gfn) {
        if (gfns.add(gfn)) {
            landedByFrame.put(vm.memory().hpa(gfn << 12) >>> 12, new long[32]);
            lastFrame = -1;
        }
    }

    /**
     * What the hypervisor's bitmaps take: storage comes by 2-MiB region, 4 bytes a page.
     *
     * @return bytes
     */
    public long bitmapBytes() {
        long regions =
                gfns.stream().mapToLong(gfn -> gfn >>> REGION_SHIFT).distinct().count();
        return regions * REGION_BITMAP_BYTES;
    }

    @Override
    public void stored(long hpa, int sizeBytes) {
        long frame = hpa >>> 12;
        if (frame != lastFrame) {
            lastFrame = frame;
            lastLanded = landedByFrame.get(frame);
        }
        if (lastLanded != null) {
            int first = (int) hpa >>> SUB_PAGE_SHIFT & 31;
            int last = (int) (hpa + sizeBytes - 1) >>> SUB_PAGE_SHIFT & 31;
            for (int i = first; i <= last; i++) {
                lastLanded[i]++;
            }
        }
    }

    /**
     * The pages that are protected now, or in which a write was denied.
     *
     * @param denied the denied writes of the run
     * @return pages by address
     */
    public List<RunReport.ProtectedPage> pages(DeniedWrites denied) {
        List<RunReport.ProtectedPage> pages = new ArrayList<>();
        for (long gfn : gfns) {
            int bitmap = vm.getSubPages(gfn, 1).bitmaps()[0];
            long[] refused = denied.byPage(gfn);
            if (bitmap != -1 || java.util.Arrays.stream(refused).sum() > 0) {
                long frame = vm.memory().hpa(gfn << 12) >>> 12;
                pages.add(new RunReport.ProtectedPage(gfn << 12, bitmap, landedByFrame.get(frame), refused));
            }
        }
        return pages;
    }
}
