package org.vmxsim.kvmi.device;

/** The last close of a file: no new mapping from now on, those that are listed end, the file is forgotten. */
final class ReleaseCall extends FileCall {
    private final KvmMemFile file;

    ReleaseCall(KvmMemFile file) {
        this.file = file;
        file.enter();
        thenTaking(file.mutex(), true, "lock the file", () -> {
            file.tearDown();
            proceed();
        });
    }

    private void proceed() {
        MapList.PageMap entry = file.mappings().first();
        if (entry == null) {
            then("unlock the file", () -> {
                file.mutex().release(this);
                then("forget the file", this::forget);
            });
        } else {
            then("end a mapping", () -> {
                file.mappings().unlink(entry);
                file.unmap(entry);
                proceed();
            });
        }
    }

    private void forget() {
        file.forgotten();
        finish(0);
    }
}
