package org.vmxsim.mmu.spp;

import org.vmxsim.mmu.abi.KernelOops;
import org.vmxsim.mmu.abi.KvmResult;
import org.vmxsim.mmu.ept.SubPageRules;
import org.vmxsim.mmu.memslot.Memslot;

/**
 * Sub-page write permissions as a service of the virtual machine: enable once, set and get bitmaps of pages. There is
 * one implementation for each {@link SppProfile}. A bitmap has 32 bits; bit i allows writes to bytes 128*i to
 * 128*i+127; all ones means that the page is not protected.
 */
public interface SubPageProtection extends SubPageRules {
    /** Answer of {@link #spptp}: the field of the VMCS is left as it is. */
    long NO_SPPTP = -1;
    /** Answer of {@link #deniedEmulatedWrite}: the write is allowed. */
    long ALLOWED = -1;

    /**
     * Which profile it is.
     *
     * @return the profile
     */
    SppProfile profile();

    /**
     * What KVM_CHECK_EXTENSION says for the capability.
     *
     * @return how many pages a call may set; 0 if there is no such capability
     */
    int checkExtension();

    /**
     * Enables it for the virtual machine: KVM_INIT_SPP of v4, KVM_ENABLE_CAP of v12. Enabling it again changes nothing.
     *
     * @return 0, or the profile's error
     */
    KvmResult enable();

    /**
     * Whether it is enabled.
     *
     * @return {@code spp_active}
     */
    boolean isActive();

    /**
     * Whether there is memory for the buffer that a call copies its bitmaps into.
     *
     * @return false if not: the call fails with ENOMEM
     */
    default boolean hasBuffer() {
        return true;
    }

    /**
     * Sets the bitmaps of consecutive pages.
     *
     * @param gfn first guest frame
     * @param bitmaps one for each page
     * @return the number of pages, or the profile's error
     */
    KvmResult set(long gfn, int[] bitmaps);

    /**
     * Reads the bitmaps of consecutive pages.
     *
     * @param gfn first guest frame
     * @param npages how many pages
     * @return the bitmaps and the number of pages, or the profile's error; in V4 an error comes with the bitmaps before
     *     the page that has no memslot
     */
    SubPages get(long gfn, int npages);

    /**
     * Lets others run where a call holds no lock.
     *
     * @param others what they do
     */
    void interleave(Interleaving others);

    /**
     * A vCPU has been made.
     *
     * @param vcpu its number
     */
    void vcpuCreated(int vcpu);

    /**
     * Whether the VMCS of a vCPU is to have the control "sub-page write permissions for EPT".
     *
     * @param vcpu number of the vCPU
     * @return the value of the control
     */
    boolean controlOn(int vcpu);

    /**
     * The sub-page-permission-table pointer that a vCPU is to have.
     *
     * @param vcpu number of the vCPU
     * @return host-physical address of the root table, or {@link #NO_SPPTP}
     */
    long spptp(int vcpu);

    /**
     * Answers an SPP miss ({@code handle_spp}).
     *
     * @param vcpu number of the vCPU
     * @param gpa guest-physical address of the write
     * @return success: the guest runs again; otherwise what KVM_RUN returns
     */
    KvmResult miss(int vcpu, long gpa);

    /**
     * The crash of the host's kernel that ended the virtual machine. Once there, it stays.
     *
     * @return how the kernel crashed, or null
     */
    default KernelOops oops() {
        return null;
    }

    /**
     * A vCPU changes between its own guest and a nested one, for which KVM keeps another set of paging structures
     * ({@code vcpu->arch.mmu} points to {@code guest_mmu}).
     *
     * @param vcpu number of the vCPU
     * @param entered true at the entry to the nested guest, false at the return from it
     */
    default void nestedContext(int vcpu, boolean entered) {}

    /**
     * Whether the bitmaps allow a write, sub-page by sub-page, whatever the profile makes of it.
     *
     * @param gpa guest-physical address of the first byte
     * @param sizeBytes bytes written, all in one page
     * @return true if every sub-page touched may be written; true where there is no memslot or no bitmap
     */
    boolean allowsWrite(long gpa, int sizeBytes);

    /**
     * Judges a write of an emulated instruction.
     *
     * @param gpa guest-physical address of the first byte
     * @param sizeBytes bytes written, all in one page
     * @return {@link #ALLOWED}, or the address that the exit reports: a guest-physical address in the fixed profile, a
     *     guest-frame number in v12
     */
    long deniedEmulatedWrite(long gpa, int sizeBytes);

    /**
     * A memslot is about to be added ({@code kvm_arch_create_memslot}); not called for one that moves.
     *
     * @param added the memslot, in place when {@link #memslotChanged} tells
     * @return false if there is no memory for what it needs: it is not added then
     */
    default boolean memslotMade(Memslot added) {
        return true;
    }

    /**
     * Memslots have changed; what was removed has no mappings any more.
     *
     * @param removed the memslot that went, or null
     * @param added the memslot that came, or null; both for one that moved
     */
    void memslotChanged(Memslot removed, Memslot added);

    /**
     * How many tables there are.
     *
     * @return 4-KiB pages of SPPT structures, roots included
     */
    long tablePages();

    /**
     * How often a region was filled.
     *
     * @return SPP misses answered
     */
    long filledRegions();
}
