package org.vmxsim.kvmi.device;

import org.vmxsim.mmu.abi.Errno;

/**
 * KVM_INTRO_MEM_UNMAP. The file's mutex is released before the hypercall: the entry is off the list by then, so that no
 * other unmap and no release can reach it, and nothing is left to protect.
 */
final class UnmapCall extends FileCall {
    private final KvmMemFile file;
    private final long gva;

    UnmapCall(KvmMemFile file, GuestProcess caller, long gva) {
        this.file = file;
        this.gva = gva;
        file.enter();
        if (file.refuses(caller)) {
            leave(-Errno.EINVAL.number());
        } else {
            thenTaking(file.mutex(), true, "lock the file", this::find);
        }
    }

    private void find() {
        file.touch();
        MapList.PageMap entry = file.mappings().find(mapping -> mapping.gva == gva);
        if (!file.isActive() || entry == null) {
            long errno = -(file.isActive() ? Errno.ENOENT : Errno.ENODEV).number();
            then("unlock the file", () -> {
                file.mutex().release(this);
                leave(errno);
            });
            return;
        }
        file.mappings().unlink(entry);
        then("unlock the file", () -> {
            file.mutex().release(this);
            then("ask the host", () -> unmap(entry));
        });
    }

    private void unmap(MapList.PageMap entry) {
        long result = file.unmap(entry);
        boolean told = isError(result) && !file.has(DeviceQuirk.UNMAP_ERROR_HIDDEN);
        leave(told ? result : 0);
    }

    private void leave(long result) {
        file.leave();
        finish(result);
    }
}
