package org.vmxsim.mmu.ioctl;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.vmxsim.mmu.Vm;
import org.vmxsim.mmu.abi.Errno;
import org.vmxsim.mmu.abi.KvmResult;
import org.vmxsim.mmu.spp.SppProfile;
import org.vmxsim.mmu.spp.SubPages;

/**
 * KVM_SUBPAGES_GET_ACCESS and KVM_SUBPAGES_SET_ACCESS with the structures of the postings. Which error comes first is
 * what the tables in docs/spp.md say.
 */
final class SubPageIoctls {
    private static final int BASE_GFN = 0;
    private static final int NPAGES = 8;
    private static final int FLAGS = 12;
    private static final int ACCESS_MAP = 16;
    /** v4: base_gfn and npages of 8 bytes, access_map of 64 times 4 bytes, always whole. */
    private static final int SIZE_BYTES_V4 = ACCESS_MAP + 4 * 64;

    private final Vm vm;
    private final UserMemory user;

    SubPageIoctls(Vm vm, UserMemory user) {
        this.vm = vm;
        this.user = user;
    }

    KvmResult call(boolean set, long argument) {
        if (!vm.subPages().isActive()) {
            return KvmResult.failed(Errno.ENODEV);
        }
        return vm.subPages().profile() == SppProfile.V4 ? callV4(set, argument) : callV12(set, argument);
    }

    private KvmResult callV4(boolean set, long argument) {
        byte[] bytes = new byte[SIZE_BYTES_V4];
        if (!user.copyFrom(argument, bytes)) {
            return KvmResult.failed(Errno.EFAULT);
        }
        ByteBuffer struct = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        long npages = struct.getLong(NPAGES);
        if (npages == 0 || Long.compareUnsigned(npages, SppProfile.V4.maxPages()) > 0) {
            return KvmResult.failed(Errno.EINVAL);
        }
        if (set) {
            return vm.setSubPages(struct.getLong(BASE_GFN), accessMap(struct, (int) npages));
        }
        // Copied back also after an error: the pages before the hole are there, the others as they were given.
        return copyBack(argument, struct, vm.getSubPages(struct.getLong(BASE_GFN), (int) npages));
    }

    private KvmResult callV12(boolean set, long argument) {
        byte[] header = new byte[ACCESS_MAP];
        if (!user.copyFrom(argument, header)) {
            return KvmResult.failed(Errno.EFAULT);
        }
        ByteBuffer struct = ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN);
        int npages = struct.getInt(NPAGES);
        int maxPages = vm.subPages().profile().maxPages();
        if (struct.getInt(FLAGS) != 0 || Integer.compareUnsigned(npages, maxPages) > 0) {
            return KvmResult.failed(Errno.EINVAL);
        }
        if (npages == 0) {
            return KvmResult.OK;
        }
        if (!vm.subPages().hasBuffer()) {
            return KvmResult.failed(Errno.ENOMEM);
        }
        byte[] whole = new byte[ACCESS_MAP + 4 * npages];
        if (!user.copyFrom(argument, whole)) {
            return KvmResult.failed(Errno.EFAULT);
        }
        struct = ByteBuffer.wrap(whole).order(ByteOrder.LITTLE_ENDIAN);
        if (set) {
            return vm.setSubPages(struct.getLong(BASE_GFN), accessMap(struct, npages));
        }
        SubPages pages = vm.getSubPages(struct.getLong(BASE_GFN), npages);
        return pages.result().isOk() ? copyBack(argument, struct, pages) : pages.result();
    }

    private static int[] accessMap(ByteBuffer struct, int npages) {
        int[] map = new int[npages];
        for (int i = 0; i < npages; i++) {
            map[i] = struct.getInt(ACCESS_MAP + 4 * i);
        }
        return map;
    }

    private KvmResult copyBack(long argument, ByteBuffer struct, SubPages pages) {
        if (pages.result().oops() != null) {
            return pages.result();
        }
        for (int i = 0; i < pages.bitmaps().length; i++) {
            struct.putInt(ACCESS_MAP + 4 * i, pages.bitmaps()[i]);
        }
        return user.copyTo(argument, struct.array()) ? pages.result() : KvmResult.failed(Errno.EFAULT);
    }
}
