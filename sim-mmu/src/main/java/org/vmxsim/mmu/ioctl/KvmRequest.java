package org.vmxsim.mmu.ioctl;

/**
 * Request numbers of ioctl, made up as linux/ioctl.h says: direction in bits 31:30, size of the argument in bits 29:16,
 * type 0xAE in bits 15:8, number in bits 7:0. The three of the series carry the size of a u64, whatever the structure
 * behind the pointer ("PATCH RESEND v4 6/9").
 */
public final class KvmRequest {
    private static final int TYPE = 0xae << 8;
    private static final int WRITE = 1 << 30;
    private static final int READ = 2 << 30;

    /** KVM_CHECK_EXTENSION; the argument is the number of a capability. */
    public static final int CHECK_EXTENSION = TYPE | 0x03;
    /** KVM_GET_DIRTY_LOG; struct kvm_dirty_log. */
    public static final int GET_DIRTY_LOG = WRITE | 16 << 16 | TYPE | 0x42;
    /** KVM_SET_USER_MEMORY_REGION; struct kvm_userspace_memory_region. */
    public static final int SET_USER_MEMORY_REGION = WRITE | 32 << 16 | TYPE | 0x46;
    /** KVM_SUBPAGES_GET_ACCESS; struct kvm_subpage of the posting. */
    public static final int SUBPAGES_GET_ACCESS = READ | 8 << 16 | TYPE | 0x49;
    /** KVM_SUBPAGES_SET_ACCESS; struct kvm_subpage of the posting. */
    public static final int SUBPAGES_SET_ACCESS = WRITE | 8 << 16 | TYPE | 0x4a;
    /** KVM_INIT_SPP of v4; the argument is not looked at. */
    public static final int INIT_SPP = WRITE | 8 << 16 | TYPE | 0x4b;
    /** KVM_ENABLE_CAP; struct kvm_enable_cap. */
    public static final int ENABLE_CAP = WRITE | 104 << 16 | TYPE | 0xa3;
    /** KVM_CLEAR_DIRTY_LOG; struct kvm_clear_dirty_log. */
    public static final int CLEAR_DIRTY_LOG = READ | WRITE | 24 << 16 | TYPE | 0xc0;

    private KvmRequest() {}

    /**
     * Size of the structure that a request says its argument points to.
     *
     * @param request a request number
     * @return bytes, 0 to 16383
     */
    public static int sizeBytes(int request) {
        return request >>> 16 & 0x3fff;
    }
}
