package org.vmxsim.bench.subpage;

import java.util.Locale;
import org.vmxsim.mmu.spp.SppProfile;
import org.vmxsim.mmu.trace.VmStatistics;
import org.vmxsim.vmx.Engine;

/**
 * What it takes to protect a GiB: maps, protects and writes every page of it, once with every page protected and once
 * with one page in each 2-MiB region, and prints the tables. Argument: the profile, default {@code FIXED}.
 */
public final class ProtectedMemory {
    private static final int PAGES = 1 << 18;
    private static final int REGION_PAGES = 512;

    private ProtectedMemory() {}

    /**
     * Prints the sizes.
     *
     * @param arguments the profile
     */
    public static void main(String[] arguments) {
        SppProfile profile =
                SppProfile.valueOf(arguments.length == 0 ? "FIXED" : arguments[0].toUpperCase(Locale.ROOT));
        System.out.println("| protected of 1 GiB | EPT tables | SPPT | bitmaps | SPP misses |");
        System.out.println("|---|---|---|---|---|");
        print("nothing", new SubPageGuest(profile, Engine.FUNCTIONAL, true, (1L << 30) + (2 << 20)), 0);
        print(
                "one page in each 2 MiB",
                new SubPageGuest(profile, Engine.FUNCTIONAL, true, (1L << 30) + (2 << 20)),
                REGION_PAGES);
        print("every page", new SubPageGuest(profile, Engine.FUNCTIONAL, true, (1L << 30) + (2 << 20)), 1);
    }

    /** Protects each such page and writes to all. */
    private static void print(String name, SubPageGuest guest, int step) {
        if (step == 1) {
            guest.protect(PAGES, SubPageGuest.HALF);
        } else if (step != 0) {
            for (long page = 0; page < PAGES; page += step) {
                SubPageGuest.expect(
                        guest.vm.setSubPages((SubPageGuest.FIRST_GPA >>> 12) + page, new int[] {SubPageGuest.HALF}));
            }
        }
        guest.storeLoop(PAGES, 4096, 0);
        guest.vcpu.run(10L * PAGES); // an exit counts too
        VmStatistics sizes = guest.vm.statistics();
        System.out.printf(
                Locale.ROOT,
                "| %s | %,d KiB | %,d KiB | %,d KiB | %,d |%n",
                name,
                sizes.eptTablePages() * 4,
                sizes.spptTablePages() * 4,
                // 4 bytes a page, by region of 512 pages of which one was ever protected.
                step == 0 ? 0 : PAGES / REGION_PAGES * 2,
                sizes.regionsFilled());
    }
}
