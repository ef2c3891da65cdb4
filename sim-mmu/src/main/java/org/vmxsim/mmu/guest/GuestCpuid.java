package org.vmxsim.mmu.guest;

import org.vmxsim.core.model.CpuModel;

/**
 * CPUID as the guest sees it: the processor's own leaves without VMX and without what would need a VM-execution control
 * or a field of the VMCS that this KVM does not use (CET, PKS, UMWAIT and its kin) and without MWAIT, with the
 * hypervisor bit, and with the hypervisor leaf that names KVM.
 */
public final class GuestCpuid {
    private static final int HYPERVISOR_LEAF = 0x4000_0000;
    private static final int FEATURES_LEAF = 0x4000_0001;
    /** Of leaf 1 ECX: MONITOR and MWAIT, which would wait without an exit. */
    private static final int MONITOR = 1 << 3;

    private static final int VMX = 1 << 5;
    /** Of leaf 1 EDX. */
    private static final int MTRR = 1 << 12;

    private static final int WRITE_BACK = 6;
    private static final int OSXSAVE = 1 << 27;
    private static final int HYPERVISOR = 1 << 31;
    private static final int APIC_ID_SHIFT = 24;
    private static final long CR4_OSXSAVE = 1 << 18;
    private static final long CR4_PKE = 1 << 22;
    private static final int OSPKE = 1 << 4;
    /**
     * Of leaf 7 ECX: WAITPKG, CET_SS, PKS. KVM shows UMWAIT and its kin only where it enables them by their control.
     */
    private static final int HIDDEN_ECX = 1 << 5 | 1 << 7 | 1 << 31;
    /** Of leaf 7 EDX: CET_IBT. */
    private static final int HIDDEN_EDX = 1 << 20;
    /** "KVMKVMKVM" and three zeros, in EBX, ECX, EDX. */
    private static final int[] SIGNATURE = {FEATURES_LEAF, 0x4b4d_564b, 0x564b_4d56, 0x4d};

    private final CpuModel model;

    /**
     * CPUID over a processor.
     *
     * @param model what the processor can do
     */
    public GuestCpuid(CpuModel model) {
        this.model = model;
    }

    /**
     * The memory type that the guest's memory-type range registers give every address. They are not modelled: where
     * CPUID has none it is write-back, and where it claims them they are as after reset, which is uncacheable (SDM
     * "MTRR Feature Identification", "IA32_MTRR_DEF_TYPE MSR"; KVM's {@code mtrr_disabled_type}).
     *
     * @return 6 for write-back, 0 for uncacheable
     */
    public int rangeMemoryType() {
        return (model.cpuid(1, 0, 3) & MTRR) == 0 ? WRITE_BACK : 0;
    }

    /**
     * One register of a leaf.
     *
     * @param leaf EAX
     * @param subleaf ECX
     * @param register 0 to 3: EAX, EBX, ECX, EDX
     * @param apicId the vCPU's number
     * @param cr4 the guest's CR4
     * @return its value
     */
    public int register(int leaf, int subleaf, int register, int apicId, long cr4) {
        if (leaf >>> 8 == HYPERVISOR_LEAF >>> 8) {
            return leaf == HYPERVISOR_LEAF ? SIGNATURE[register] : 0;
        }
        int value = model.cpuid(leaf, subleaf, register);
        if (leaf == 7 && subleaf == 0) {
            return switch (register) {
                case 2 -> value & ~HIDDEN_ECX | ((cr4 & CR4_PKE) != 0 ? OSPKE : 0);
                case 3 -> value & ~HIDDEN_EDX;
                default -> value;
            };
        }
        if (leaf != 1) {
            return value;
        }
        return switch (register) {
            case 1 -> value & -1 >>> 32 - APIC_ID_SHIFT | apicId << APIC_ID_SHIFT;
            case 2 -> value & ~(MONITOR | VMX | OSXSAVE) | HYPERVISOR | ((cr4 & CR4_OSXSAVE) != 0 ? OSXSAVE : 0);
            default -> value;
        };
    }
}
