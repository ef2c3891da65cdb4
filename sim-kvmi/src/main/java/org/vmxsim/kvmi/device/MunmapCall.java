package org.vmxsim.kvmi.device;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Addresses of a process go, by munmap or exit. As under Linux's notifiers of an address space, its lock is held, and
 * each file of the device that watches ends its mappings there before the pages are free for something else.
 */
final class MunmapCall extends FileCall {
    private final GuestProcess process;
    private final long startGva;
    private final long endGva;
    private final Deque<KvmMemFile> files = new ArrayDeque<>();
    private final Deque<MapList.PageMap> taken = new ArrayDeque<>();

    MunmapCall(GuestProcess process, long startGva, long endGva) {
        this.process = process;
        this.startGva = startGva;
        this.endGva = endGva;
        thenTaking(process.mmapSem(), true, "lock the address space", () -> {
            files.addAll(process.watchers());
            files.forEach(KvmMemFile::enter);
            proceed();
        });
    }

    private void proceed() {
        KvmMemFile file = files.peek();
        if (file == null) {
            then("drop the addresses", this::drop);
        } else if (taken.isEmpty()) {
            thenTaking(file.mutex(), true, "take mappings off a file's list", this::take);
        } else {
            then("end a mapping", this::endOne);
        }
    }

    private void take() {
        KvmMemFile file = files.element();
        file.addressesChange();
        for (MapList.PageMap entry = find(file); entry != null; entry = find(file)) {
            file.mappings().unlink(entry);
            taken.add(entry);
        }
        file.mutex().release(this);
        if (taken.isEmpty()) {
            files.remove().leave();
        }
        proceed();
    }

    private MapList.PageMap find(KvmMemFile file) {
        return file.mappings()
                .find(entry -> entry.process == process
                        && entry.gva > startGva - GuestProcess.PAGE_BYTES
                        && entry.gva < endGva);
    }

    private void endOne() {
        files.element().unmap(taken.remove());
        if (taken.isEmpty()) {
            files.remove().leave();
        }
        proceed();
    }

    private void drop() {
        process.dropped(startGva, endGva);
        process.mmapSem().release(this);
        finish(0);
    }
}
