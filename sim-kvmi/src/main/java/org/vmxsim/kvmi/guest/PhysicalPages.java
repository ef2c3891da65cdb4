package org.vmxsim.kvmi.guest;

import org.vmxsim.kvmi.message.Answer;
import org.vmxsim.kvmi.message.KvmiError;
import org.vmxsim.mmu.Vm;
import org.vmxsim.mmu.guest.VmMemory;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.memslot.Memslot;

/**
 * Guest-physical memory as the tool reaches it: through the hypervisor, whatever the guest may do to the page. Source:
 * kvmi.rst, "KVMI_READ_PHYSICAL" and the commands after it.
 */
public final class PhysicalPages {
    private static final int MAX_BYTES = 4096;

    private final Vm vm;
    private final KvmiError noPage;

    /**
     * The memory of a virtual machine.
     *
     * @param vm the virtual machine
     * @param noPage what is answered where there is no page
     */
    public PhysicalPages(Vm vm, KvmiError noPage) {
        this.vm = vm;
        this.noPage = noPage;
    }

    /**
     * Reads within a page.
     *
     * @param gpa guest-physical address of the first byte
     * @param sizeBytes how many bytes, unsigned
     * @return the bytes; EINVAL for none and across a page boundary, the error of the dialect without a page
     */
    public Answer read(long gpa, long sizeBytes) {
        if (!isInPage(gpa, sizeBytes)) {
            return Failures.of(KvmiError.EINVAL);
        }
        VmMemory memory = vm.memory();
        if (memory.hpa(gpa) == VmMemory.NONE) {
            return Failures.of(noPage);
        }
        return new Answer.Memory(memory.read(gpa, (int) sizeBytes));
    }

    /**
     * Writes within a page, and notes that in the log of writes. What the guest must not write because it is a ROM, the
     * tool cannot write either: for such a memslot the hypervisor finds no address to write at.
     *
     * @param gpa guest-physical address of the first byte
     * @param bytes what to write
     * @return done; errors as {@link #read}
     */
    public Answer write(long gpa, byte[] bytes) {
        if (!isInPage(gpa, bytes.length)) {
            return Failures.of(KvmiError.EINVAL);
        }
        VmMemory memory = vm.memory();
        Memslot slot = memory.slot(gpa);
        if (slot == null || slot.isReadOnly() || memory.hpa(gpa, true) == VmMemory.NONE) {
            return Failures.of(noPage);
        }
        memory.load(gpa, bytes);
        slot.markDirty(gpa >>> 12);
        return Answer.DONE;
    }

    private static boolean isInPage(long gpa, long sizeBytes) {
        return sizeBytes >= 1
                && sizeBytes <= MAX_BYTES
                && PageSize.SIZE_4K.bytesInPage(gpa, (int) sizeBytes) == sizeBytes;
    }

    /**
     * Where writable memory ends, as {@code kvm_get_max_gfn} of the series reckons: memslots of ROMs do not count.
     *
     * @return the first guest frame number above all of it; 0 without any
     */
    public long endGfn() {
        return vm.memory().memslots().stream()
                .filter(slot -> !slot.isReadOnly())
                .mapToLong(slot -> slot.lastGfn() + 1)
                .max()
                .orElse(0);
    }

    /**
     * The memslot around a page.
     *
     * @param gfn guest frame number of the page
     * @return where it begins and how long it is; ENOENT if there is none
     */
    public Answer slot(long gfn) {
        boolean isFrame = gfn >= 0 && gfn >>> 52 == 0;
        Memslot slot = isFrame ? vm.memory().slot(gfn << 12) : null;
        return slot == null ? Failures.of(KvmiError.ENOENT) : new Answer.Slot(slot.baseGfn(), slot.npages());
    }
}
