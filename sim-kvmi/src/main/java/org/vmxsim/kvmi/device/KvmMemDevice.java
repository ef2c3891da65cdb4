package org.vmxsim.kvmi.device;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.vmxsim.mmu.abi.Errno;

/**
 * {@code /dev/kvmmem}: the device by which a process of one guest maps pages of another, introspected one. The driver
 * is modelled after "[RFC PATCH v4 02/18] add memory map/unmap support for VM introspection on the guest side"; where
 * that is weak, {@link DeviceQuirk} says whether it is followed or repaired.
 */
public final class KvmMemDevice {
    /** KVM_INTRO_MEM_MAP, {@code _IOW('i', 1, 48)}; the argument points to token, gpa and gva. */
    public static final int MAP = 0x4030_6901;
    /** KVM_INTRO_MEM_UNMAP, {@code _IOW('i', 2, 8)}; the argument is the address itself. */
    public static final int UNMAP = 0x4008_6902;
    /** How many structures the kernel has memory for unless told otherwise. */
    public static final int DEFAULT_ALLOCATIONS = 65_536;

    private final GuestKernel kernel;
    private final Set<DeviceQuirk> quirks;
    private final int maxAllocations;
    private final List<KvmMemFile> files = new ArrayList<>();
    private final Deque<MapList.PageMap> freed = new ArrayDeque<>();
    private int allocations;
    private int usesAfterFree;
    private boolean isRegistered;

    /**
     * The repaired driver, not initialized.
     *
     * @param kernel the kernel around it
     */
    public KvmMemDevice(GuestKernel kernel) {
        this(kernel, Set.of(), DEFAULT_ALLOCATIONS);
    }

    /**
     * A driver, not initialized.
     *
     * @param kernel the kernel around it
     * @param quirks where it behaves as posted
     * @param maxAllocations how many open files and mappings together the kernel has memory for
     * @throws IllegalArgumentException if the number is negative
     */
    public KvmMemDevice(GuestKernel kernel, Set<DeviceQuirk> quirks, int maxAllocations) {
        if (kernel == null || quirks == null || maxAllocations < 0) {
            throw new IllegalArgumentException("need a kernel, quirks and maxAllocations of at least 0, got " + kernel
                    + ", " + quirks + " and " + maxAllocations);
        }
        this.kernel = kernel;
        this.quirks = EnumSet.noneOf(DeviceQuirk.class);
        this.quirks.addAll(quirks);
        this.maxAllocations = maxAllocations;
    }

    /**
     * Registers the device.
     *
     * @return 0; -EPERM if the kernel does not run on KVM
     */
    public int init() {
        isRegistered |= kernel.hasParavirtualization();
        return isRegistered ? 0 : -Errno.EPERM.number();
    }

    /**
     * What {@code open} returns.
     *
     * @param errno 0 or a negative errno
     * @param file the open file, or null
     */
    public record Opened(int errno, KvmMemFile file) {}

    /**
     * Opens the device.
     *
     * @param process who opens it, and whose memory is given to mappings
     * @return the file; -ENOENT before {@link #init} has succeeded, since then the device has no name; -ENOMEM
     * @throws IllegalArgumentException if the process is null
     */
    public Opened open(GuestProcess process) {
        if (process == null) {
            throw new IllegalArgumentException("need the process that opens the device, got null");
        }
        if (!isRegistered) {
            return new Opened(-Errno.ENOENT.number(), null);
        }
        if (allocations == maxAllocations) {
            return new Opened(-Errno.ENOMEM.number(), null);
        }
        allocations++;
        KvmMemFile file = new KvmMemFile(this, process);
        files.add(file);
        return new Opened(0, file);
    }

    /**
     * The open files, as the driver lists them.
     *
     * @return in the order they were opened; a copy
     */
    public List<KvmMemFile> files() {
        return List.copyOf(files);
    }

    /**
     * How often a call has used the structure of a file that was freed already; never without
     * {@link DeviceQuirk#FILE_FREED_UNDER_CALL}.
     *
     * @return the count
     */
    public int usesAfterFree() {
        return usesAfterFree;
    }

    boolean has(DeviceQuirk quirk) {
        return quirks.contains(quirk);
    }

    GuestKernel kernel() {
        return kernel;
    }

    /**
     * {@code kmalloc} of a list entry, or null. As the kernel's slabs do, it hands out first what was freed last, and
     * as it was: nobody clears it.
     */
    MapList.PageMap allocate() {
        if (allocations == maxAllocations) {
            return null;
        }
        allocations++;
        MapList.PageMap again = freed.poll();
        return again == null ? new MapList.PageMap() : again;
    }

    void free(MapList.PageMap entry) {
        allocations--;
        freed.push(entry);
    }

    void forget(KvmMemFile file) {
        if (!files.remove(file)) {
            throw new AssertionError("a file is forgotten twice");
        }
    }

    void freeFile() {
        allocations--;
    }

    void countUseAfterFree() {
        if (!has(DeviceQuirk.FILE_FREED_UNDER_CALL)) {
            throw new AssertionError("a call uses a file that has been freed");
        }
        usesAfterFree++;
    }
}
