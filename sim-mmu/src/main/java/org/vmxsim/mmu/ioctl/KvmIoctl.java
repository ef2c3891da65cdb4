package org.vmxsim.mmu.ioctl;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.vmxsim.mmu.Vm;
import org.vmxsim.mmu.abi.Capability;
import org.vmxsim.mmu.abi.Errno;
import org.vmxsim.mmu.abi.KvmResult;
import org.vmxsim.mmu.memslot.Memslots;
import org.vmxsim.mmu.spp.SppProfile;
import org.vmxsim.mmu.upkeep.DirtyLog;

/**
 * The ioctl calls on a virtual machine ({@code kvm_vm_ioctl}). What a call does is what the method of {@link Vm} with
 * its name does; here its argument is fetched, checked and stored as the kernel does it.
 */
public final class KvmIoctl {
    private static final int CAP_USER_MEMORY = 3;
    private static final int CAP_NR_MEMSLOTS = 10;
    private static final int CAP_SYNC_MMU = 16;
    private static final int CAP_DESTROY_MEMORY_REGION_WORKS = 21;
    private static final int CAP_JOIN_MEMORY_REGIONS_WORKS = 30;
    private static final int CAP_READONLY_MEM = 81;
    private static final int CAP_ENABLE_CAP_VM = 98;
    private static final int CAP_CHECK_EXTENSION_VM = 105;
    private static final int CAP_MULTI_ADDRESS_SPACE = 118;
    private static final int CAP_MANUAL_DIRTY_LOG_PROTECT2 = 168;

    private final Vm vm;
    private final UserMemory user;
    private final SubPageIoctls subPages;
    private final DirtyLogIoctls dirtyLog;

    /**
     * The calls of one process on one virtual machine.
     *
     * @param vm the virtual machine
     * @param user the memory of the process
     */
    public KvmIoctl(Vm vm, UserMemory user) {
        this.vm = vm;
        this.user = user;
        this.subPages = new SubPageIoctls(vm, user);
        this.dirtyLog = new DirtyLogIoctls(vm, user);
    }

    /**
     * One call.
     *
     * @param request number of the request, {@link KvmRequest}
     * @param argument a number or an address, as the request has it
     * @return what the kernel returns: a count, an error number (ENOTTY for a request that the profile does not have),
     *     or the crash that ended the virtual machine
     */
    public KvmResult ioctl(int request, long argument) {
        if (vm.oops() != null) {
            return KvmResult.crashed(vm.oops());
        }
        return switch (request) {
            case KvmRequest.CHECK_EXTENSION -> KvmResult.of(checkExtension(argument));
            case KvmRequest.SUBPAGES_GET_ACCESS -> subPages.call(false, argument);
            case KvmRequest.SUBPAGES_SET_ACCESS -> subPages.call(true, argument);
            case KvmRequest.INIT_SPP ->
                vm.subPages().profile() == SppProfile.V4
                        ? vm.enableCap(Capability.SPP)
                        : KvmResult.failed(Errno.ENOTTY);
            case KvmRequest.ENABLE_CAP,
                    KvmRequest.SET_USER_MEMORY_REGION,
                    KvmRequest.GET_DIRTY_LOG,
                    KvmRequest.CLEAR_DIRTY_LOG -> withStruct(request, argument);
            default -> KvmResult.failed(Errno.ENOTTY);
        };
    }

    private KvmResult withStruct(int request, long argument) {
        byte[] bytes = new byte[KvmRequest.sizeBytes(request)];
        if (!user.copyFrom(argument, bytes)) {
            return KvmResult.failed(Errno.EFAULT);
        }
        ByteBuffer struct = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        return switch (request) {
            case KvmRequest.ENABLE_CAP -> enableCap(struct);
            case KvmRequest.SET_USER_MEMORY_REGION -> setUserMemoryRegion(struct);
            case KvmRequest.GET_DIRTY_LOG -> dirtyLog.get(struct);
            case KvmRequest.CLEAR_DIRTY_LOG -> dirtyLog.clear(struct);
            default -> throw new AssertionError("no structure for request 0x" + Integer.toHexString(request));
        };
    }

    /** {@code kvm_vm_ioctl_check_extension}, for what there is in this hypervisor; 0 for all else. */
    private int checkExtension(long capability) {
        if (capability == Capability.SPP.number()) {
            return vm.subPages().checkExtension();
        }
        return capability != (int) capability ? 0 : checkExtension((int) capability);
    }

    private static int checkExtension(int capability) {
        return switch (capability) {
            case CAP_USER_MEMORY,
                    CAP_SYNC_MMU,
                    CAP_DESTROY_MEMORY_REGION_WORKS,
                    CAP_JOIN_MEMORY_REGIONS_WORKS,
                    CAP_READONLY_MEM,
                    CAP_ENABLE_CAP_VM,
                    CAP_CHECK_EXTENSION_VM -> 1;
            case CAP_NR_MEMSLOTS -> Memslots.MAX_SLOTS;
            case CAP_MULTI_ADDRESS_SPACE -> Memslots.ADDRESS_SPACES;
            case CAP_MANUAL_DIRTY_LOG_PROTECT2 -> (int) (DirtyLog.MANUAL_PROTECT | DirtyLog.INITIALLY_SET);
            default -> 0;
        };
    }

    /** struct kvm_enable_cap: cap u32 @0, flags u32 @4, args u64[4] @8. No capability here has flags. */
    private KvmResult enableCap(ByteBuffer struct) {
        if (struct.getInt(4) != 0) {
            return KvmResult.failed(Errno.EINVAL);
        }
        for (Capability capability : Capability.values()) {
            boolean later = capability == Capability.SPP && vm.subPages().profile() == SppProfile.V4;
            if (capability.number() == struct.getInt(0) && !later) {
                return vm.enableCap(capability, struct.getLong(8));
            }
        }
        return KvmResult.failed(Errno.EINVAL);
    }

    /** struct kvm_userspace_memory_region: slot u32 @0, flags u32 @4, gpa @8, size @16, hva @24. */
    private KvmResult setUserMemoryRegion(ByteBuffer struct) {
        return vm.setUserMemoryRegion(
                struct.getInt(0), struct.getInt(4), struct.getLong(8), struct.getLong(16), struct.getLong(24));
    }
}
