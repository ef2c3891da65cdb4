package org.vmxsim.kvmi.device;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import org.vmxsim.mmu.abi.Errno;

/**
 * An open file of {@link KvmMemDevice} ({@code struct file_map}): mappings, their mutex, and whether it is being torn
 * down. Each call exists twice: done at once, and as a {@link FileCall} to be done step by step among others.
 */
public final class KvmMemFile {
    private static final int MAP_BYTES = 48;

    private final KvmMemDevice device;
    private final GuestProcess process;
    private final KernelLock mutex = new KernelLock();
    private final MapList mappings = new MapList();
    private boolean isActive = true;
    private boolean isReleased;
    private boolean isForgotten;
    private boolean isFreed;
    private int callsUnderWay;
    private int addressChanges;

    KvmMemFile(KvmMemDevice device, GuestProcess process) {
        this.device = device;
        this.process = process;
        if (!device.has(DeviceQuirk.MUNMAP_LEAVES_MAPPING)) {
            process.watchers().add(this);
        }
    }

    /**
     * {@code ioctl} by the process that opened the file, with the argument's bytes at hand instead of an address.
     *
     * @param number {@link KvmMemDevice#MAP}, {@link KvmMemDevice#UNMAP}, or any other
     * @param argument for MAP the 48 bytes behind the pointer, for UNMAP the 8 bytes of the address, little-endian;
     *     others are not looked at
     * @return 0 or a negative errno, as {@link #ioctl(GuestProcess, int, long)}; -EFAULT if bytes are missing
     * @throws IllegalArgumentException if the argument is null, or another call under way holds a lock it needs
     */
    public long ioctl(int number, byte[] argument) {
        if (argument == null) {
            throw new IllegalArgumentException("need the bytes of the argument, got null");
        }
        if (number == KvmMemDevice.MAP) {
            byte[] request = argument.length < MAP_BYTES ? null : Arrays.copyOf(argument, MAP_BYTES);
            return startMap(process, () -> request).run();
        }
        if (number == KvmMemDevice.UNMAP && argument.length < Long.BYTES) {
            return -Errno.EFAULT.number();
        }
        long value = number == KvmMemDevice.UNMAP
                ? ByteBuffer.wrap(argument).order(ByteOrder.LITTLE_ENDIAN).getLong()
                : 0;
        return ioctl(process, number, value);
    }

    /**
     * {@code ioctl}.
     *
     * @param caller the calling process
     * @param number {@link KvmMemDevice#MAP}, {@link KvmMemDevice#UNMAP}, or any other
     * @param argument for MAP the address of {token, target gpa, gva}; for UNMAP the gva itself
     * @return 0 or a negative errno. ENOTTY for any other number, among them those of the later whole-memslot mapping
     *     (0x40086901, 0xC0306902, 0x40086903). Both: EINVAL if another process opened the file; ENODEV if it is being
     *     closed. MAP: EFAULT if the argument cannot be read; EINVAL if gva is not in user space or not page-aligned;
     *     ENOMEM; EFAULT if no writable page of the process is there; EALREADY if gva is mapped; else what hypercall 32
     *     says. UNMAP: ENOENT if gva is not mapped; else what hypercall 33 says, and the mapping is gone in any case
     * @throws IllegalArgumentException if the caller is null, or another call under way holds a lock it needs
     */
    public long ioctl(GuestProcess caller, int number, long argument) {
        return startIoctl(caller, number, argument).run();
    }

    /**
     * Begins {@code ioctl}.
     *
     * @param caller the calling process
     * @param number as {@link #ioctl(GuestProcess, int, long)}
     * @param argument as {@link #ioctl(GuestProcess, int, long)}
     * @return the call, before its first step
     * @throws IllegalArgumentException if the caller is null
     */
    public FileCall startIoctl(GuestProcess caller, int number, long argument) {
        if (caller == null) {
            throw new IllegalArgumentException("need the calling process, got null");
        }
        if (number == KvmMemDevice.MAP) {
            Supplier<byte[]> copy = () -> {
                byte[] request = new byte[MAP_BYTES];
                return caller.copyFromUser(argument, request) ? request : null;
            };
            return startMap(caller, copy);
        }
        if (number != KvmMemDevice.UNMAP) {
            return FileCall.of(-Errno.ENOTTY.number());
        }
        return isClosed() ? FileCall.of(-Errno.ENODEV.number()) : new UnmapCall(this, caller, argument);
    }

    private FileCall startMap(GuestProcess caller, Supplier<byte[]> request) {
        return isClosed() ? FileCall.of(-Errno.ENODEV.number()) : new MapCall(this, caller, request);
    }

    /** Whether no call may come in any more; the posted driver leaves that to its caller. */
    private boolean isClosed() {
        return isFreed && !has(DeviceQuirk.FILE_FREED_UNDER_CALL);
    }

    /**
     * Closes the file: mappings that are left end.
     *
     * @return 0
     * @throws IllegalArgumentException if it was released before, or another call under way holds its mutex
     */
    public long release() {
        return startRelease().run();
    }

    /**
     * Begins {@link #release}.
     *
     * @return the call, before its first step
     * @throws IllegalArgumentException if it was released before
     */
    public FileCall startRelease() {
        if (isReleased) {
            throw new IllegalArgumentException("need a file that is released once, got a second release");
        }
        isReleased = true;
        return new ReleaseCall(this);
    }

    /**
     * The addresses at which the driver lists a mapping.
     *
     * @return oldest first
     */
    public List<Long> mappedAddresses() {
        return mappings.addresses();
    }

    KvmMemDevice device() {
        return device;
    }

    GuestProcess process() {
        return process;
    }

    KernelLock mutex() {
        return mutex;
    }

    MapList mappings() {
        return mappings;
    }

    boolean has(DeviceQuirk quirk) {
        return device.has(quirk);
    }

    /** Whether somebody else's process may not use the file. */
    boolean refuses(GuestProcess caller) {
        return caller != process && !has(DeviceQuirk.OTHER_PROCESS_ACCEPTED);
    }

    /** False once release has begun. */
    boolean isActive() {
        return isActive;
    }

    void tearDown() {
        isActive = false;
    }

    /** How often addresses of the process went; a look-up from before is worth nothing. */
    int addressChanges() {
        return addressChanges;
    }

    void addressesChange() {
        addressChanges++;
    }

    /** A call takes its reference to the file. */
    void enter() {
        callsUnderWay++;
        touch();
    }

    /** A call is about to read or write the file's structure. */
    void touch() {
        if (isFreed) {
            device.countUseAfterFree();
        }
    }

    /** A call gives up its reference. */
    void leave() {
        callsUnderWay--;
        freeIfUnused();
    }

    /** Release is through. */
    void forgotten() {
        device.forget(this);
        process.watchers().remove(this);
        callsUnderWay--;
        isForgotten = true;
        freeIfUnused();
    }

    private void freeIfUnused() {
        boolean unused = callsUnderWay == 0 || has(DeviceQuirk.FILE_FREED_UNDER_CALL);
        if (isForgotten && unused && !isFreed) {
            isFreed = true;
            device.freeFile();
        }
    }

    /** Frees an entry that was never listed, and lets its page go. */
    void discard(MapList.PageMap entry) {
        if (entry.pinned) {
            entry.process.unpin(entry.gpa);
        }
        device.free(entry);
    }

    /** Ends what the host has of an entry that is off the list, and frees it. Gives what the host says. */
    long unmap(MapList.PageMap entry) {
        long result = device.kernel().unmap(entry.gpa);
        // A page of which the host did not say that it is the guest's own again is never given back to anybody.
        if (entry.pinned && !FileCall.isError(result)) {
            entry.process.unpin(entry.gpa);
        }
        device.free(entry);
        return result;
    }
}
