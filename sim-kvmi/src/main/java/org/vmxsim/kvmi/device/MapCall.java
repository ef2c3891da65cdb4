package org.vmxsim.kvmi.device;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vmxsim.kvmi.memory.MapTokens;
import org.vmxsim.mmu.abi.Errno;

/**
 * KVM_INTRO_MEM_MAP. The file's mutex is held from the check that the file is open over the hypercall to the new list
 * entry: release, which needs it too, either comes before and the call fails, or finds the entry. Were it dropped for
 * the hypercall, a release in between would see an empty list, and nobody would ever end the mapping.
 *
 * <p>As posted the page is looked up under the mutex, and the lock of the address space stays held while the host
 * works. Repaired, the page is looked up and pinned first, under that lock alone. If addresses of the process went
 * before the mutex was had, the look-up is done again; the order of the two locks is then the one that munmap has.
 */
final class MapCall extends FileCall {
    private static final Logger LOG = LoggerFactory.getLogger(MapCall.class);
    private static final int GPA_OFFSET = MapTokens.TOKEN_BYTES;
    private static final int GVA_OFFSET = 40;

    private final KvmMemFile file;
    private final GuestProcess caller;
    private final Supplier<byte[]> argument;
    private final boolean underMmapSem;
    private byte[] token;
    private long targetGpa;
    private MapList.PageMap entry;
    private boolean asksHost = true;
    private int seenChanges;

    MapCall(KvmMemFile file, GuestProcess caller, Supplier<byte[]> argument) {
        this.file = file;
        this.caller = caller;
        this.argument = argument;
        this.underMmapSem = file.has(DeviceQuirk.WORK_UNDER_MMAP_SEM);
        file.enter();
        then("copy the argument", this::copy);
    }

    private void copy() {
        long refused = prepare();
        if (refused != 0) {
            leave(refused);
        } else if (underMmapSem) {
            thenTaking(file.mutex(), true, "lock the file", this::admit);
        } else {
            thenTaking(caller.mmapSem(), false, "look the page up", this::lookUpBefore);
        }
    }

    /** What needs no lock. Gives 0 with an entry, or a negative errno. */
    private long prepare() {
        if (file.refuses(caller)) {
            return -Errno.EINVAL.number();
        }
        byte[] bytes = argument.get();
        if (bytes == null) {
            return -Errno.EFAULT.number();
        }
        ByteBuffer request = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        long gva = request.getLong(GVA_OFFSET);
        boolean aligned = gva % GuestProcess.PAGE_BYTES == 0 || file.has(DeviceQuirk.ALIGNMENT_UNCHECKED);
        // As posted this is asked for reading, for writing, and once more under the mutex: it cannot change.
        if (!GuestProcess.accessOk(gva, GuestProcess.PAGE_BYTES) || !aligned) {
            return -Errno.EINVAL.number();
        }
        entry = file.device().allocate();
        if (entry == null) {
            return -Errno.ENOMEM.number();
        }
        token = Arrays.copyOf(bytes, MapTokens.TOKEN_BYTES);
        targetGpa = request.getLong(GPA_OFFSET);
        entry.gva = gva;
        entry.process = caller;
        entry.pinned = false;
        return 0;
    }

    private void lookUpBefore() {
        seenChanges = file.addressChanges();
        long refused = file.isActive() ? lookUp() : -Errno.ENODEV.number();
        caller.mmapSem().release(this);
        if (refused != 0) {
            file.discard(entry);
            leave(refused);
        } else {
            thenTaking(file.mutex(), true, "lock the file", this::admit);
        }
    }

    private void admit() {
        file.touch();
        boolean twice = file.mappings().find(mapping -> mapping.gva == entry.gva) != null;
        if (!file.isActive()) {
            refuse(-Errno.ENODEV.number());
        } else if (!underMmapSem && seenChanges != file.addressChanges()) {
            lookUpAgain();
        } else if (twice && !file.has(DeviceQuirk.ADDRESS_MAPPED_TWICE)) {
            refuse(-Errno.EALREADY.number());
        } else if (underMmapSem) {
            thenTaking(caller.mmapSem(), false, "look the page up", this::lookUpInside);
        } else {
            then("ask the host", this::askHost);
        }
    }

    private void lookUpAgain() {
        file.mutex().release(this);
        if (entry.pinned) {
            caller.unpin(entry.gpa);
            entry.pinned = false;
        }
        thenTaking(caller.mmapSem(), false, "look the page up", this::lookUpBefore);
    }

    private void lookUpInside() {
        long refused = lookUp();
        if (refused != 0) {
            caller.mmapSem().release(this);
            refuse(refused);
        } else {
            then("ask the host", this::askHost);
        }
    }

    /** Finds the page, and pins it. Gives 0 or a negative errno. */
    private long lookUp() {
        GuestProcess.Area area = caller.findArea(entry.gva);
        boolean inside = area != null && (entry.gva >= area.startGva() || file.has(DeviceQuirk.ALIGNMENT_UNCHECKED));
        boolean pins = !file.has(DeviceQuirk.PAGE_NOT_PINNED);
        GuestProcess.PageLookup page;
        if (area != null && !inside) {
            return -Errno.EFAULT.number();
        } else if (area == null) {
            page = GuestProcess.PageLookup.NONE;
        } else {
            page = pins ? caller.writablePage(entry.gva) : caller.followPage(entry.gva);
        }
        return switch (page.presence()) {
            case FAILED -> -page.errno().number();
            case ABSENT -> absent();
            case ZERO_PAGE -> zeroPage(page.gpa());
            case PRESENT -> found(page.gpa(), pins);
        };
    }

    private long found(long gpa, boolean pins) {
        entry.gpa = gpa;
        if (pins) {
            caller.pin(gpa);
            entry.pinned = true;
        }
        return 0;
    }

    /** The posted driver takes the error number out of a null pointer, and gets 0. */
    private long absent() {
        asksHost = !file.has(DeviceQuirk.ABSENT_PAGE_MAPS);
        return asksHost ? -Errno.EFAULT.number() : 0;
    }

    private long zeroPage(long gpa) {
        if (!file.has(DeviceQuirk.PAGE_NOT_PINNED)) {
            return -Errno.EFAULT.number();
        }
        LOG.warn("the page of zeros is given to a mapping, gpa=0x{}", Long.toHexString(gpa));
        return found(gpa, false);
    }

    private void askHost() {
        long result = asksHost ? file.device().kernel().map(token, targetGpa, entry.gpa) : 0;
        if (underMmapSem) {
            caller.mmapSem().release(this);
        }
        if (isError(result)) {
            refuse(result);
        } else {
            then("list the mapping", this::list);
        }
    }

    private void list() {
        file.mappings().append(entry);
        then("unlock the file", () -> unlock(0));
    }

    private void refuse(long errno) {
        file.discard(entry);
        then("unlock the file", () -> unlock(errno));
    }

    private void unlock(long result) {
        file.touch();
        file.mutex().release(this);
        leave(result);
    }

    private void leave(long result) {
        file.leave();
        finish(result);
    }
}
