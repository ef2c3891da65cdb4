package org.vmxsim.mmu.ioctl;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.vmxsim.mmu.Vm;
import org.vmxsim.mmu.abi.Errno;
import org.vmxsim.mmu.abi.KvmResult;
import org.vmxsim.mmu.memslot.DirtyBitmap;
import org.vmxsim.mmu.upkeep.DirtyPages;

/** KVM_GET_DIRTY_LOG and KVM_CLEAR_DIRTY_LOG: structures that point to a bitmap elsewhere in user memory. */
final class DirtyLogIoctls {
    private static final long U32 = 0xffff_ffffL;

    private final Vm vm;
    private final UserMemory user;

    DirtyLogIoctls(Vm vm, UserMemory user) {
        this.vm = vm;
        this.user = user;
    }

    /** struct kvm_dirty_log: slot u32 @0, dirty_bitmap @8. What cannot be copied out is cleared all the same. */
    KvmResult get(ByteBuffer struct) {
        DirtyPages pages = vm.dirtyLog().get(struct.getInt(0));
        if (!pages.result().isOk()) {
            return pages.result();
        }
        byte[] bytes = new byte[Long.BYTES * pages.words().length];
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asLongBuffer().put(pages.words());
        return user.copyTo(struct.getLong(8), bytes) ? pages.result() : KvmResult.failed(Errno.EFAULT);
    }

    /** struct kvm_clear_dirty_log: slot u32 @0, num_pages u32 @4, first_page @8, dirty_bitmap @16. */
    KvmResult clear(ByteBuffer struct) {
        long npages = struct.getInt(4) & U32;
        long bitmap = struct.getLong(16);
        long wanted = (npages + DirtyBitmap.WORD_PAGES - 1) / DirtyBitmap.WORD_PAGES;
        // What is not there is missed by the call, at the place where the kernel would copy it.
        byte[] bytes = new byte[(int) Math.min(wanted, user.accessible(bitmap) / Long.BYTES) * Long.BYTES];
        user.copyFrom(bitmap, bytes);
        long[] words = new long[bytes.length / Long.BYTES];
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asLongBuffer().get(words);
        return vm.dirtyLog().clear(struct.getInt(0), struct.getLong(8), npages, words);
    }
}
