package org.vmxsim.bench.subpage;

import org.vmxsim.core.boot.BootEntry;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.mmu.Kvm;
import org.vmxsim.mmu.Vcpu;
import org.vmxsim.mmu.Vm;
import org.vmxsim.mmu.abi.Capability;
import org.vmxsim.mmu.abi.KvmResult;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.spp.SppProfile;
import org.vmxsim.spp.SppOptions;
import org.vmxsim.vmx.Engine;
import org.vmxsim.vmx.Machine;
import org.vmxsim.vmx.MachineConfig;

/**
 * A virtual machine of 4-KiB pages whose guest stores to one page after the other, for ever, in flat 32-bit mode: four
 * instructions a page, two more to begin again.
 */
final class SubPageGuest {
    /** First page that the guest stores to. */
    static final long FIRST_GPA = 2L << 20;

    /** Every second sub-page is writable: bits 0, 2, 4, ... */
    static final int HALF = 0x5555_5555;

    static final int FULL = -1;

    private static final int CODE = 0x1000;
    private static final long TABLES_BYTES = 64L << 20;

    final Vm vm;
    final Vcpu vcpu;
    private final SppProfile profile;

    SubPageGuest(SppProfile profile, Engine engine, boolean cacheVectors, long memoryBytes) {
        this.profile = profile;
        Machine machine = Machine.of(MachineConfig.DEFAULT
                .withCpu("icelake-sp")
                .withMemory(memoryBytes + TABLES_BYTES)
                .withEngine(engine)
                .withSppOptions(SppOptions.DEFAULT.withCacheVectors(cacheVectors)));
        vm = Kvm.on(machine).createVm(profile);
        expect(vm.addMemory(0, 0, memoryBytes, PageSize.SIZE_4K));
        // The vCPU first: v12 enabled before there is one has no root table (hazard T6).
        vcpu = vm.createVcpu();
        expect(vm.enableCap(Capability.SPP));
    }

    static void expect(KvmResult result) {
        if (!result.isOk()) {
            throw new IllegalStateException("KVM gave " + result);
        }
    }

    /** The guest stores EAX at an offset of each of so many pages, so many bytes apart. */
    void storeLoop(int pages, int strideBytes, int offset) {
        int first = (int) FIRST_GPA + offset;
        start(
                0xbb,
                first,
                -1,
                0x89,
                0x03,
                0x81,
                0xc3,
                strideBytes,
                -1,
                0x81,
                0xfb,
                first + pages * strideBytes,
                -1,
                0x72,
                0xf0,
                0xeb,
                0xe9);
    }

    /** The guest stores AL at one address, for ever. */
    void storeOne(int offset) {
        start(0xbb, (int) FIRST_GPA + offset, -1, 0x88, 0x03, 0xeb, 0xfc);
    }

    /** The guest writes to a port that has no device, for ever. */
    void outOne() {
        start(0xe6, 0x10, 0xeb, 0xfc);
    }

    /** Bytes; a number followed by -1 stands for its four bytes. */
    private void start(int... parts) {
        byte[] code = new byte[4 * parts.length];
        int length = 0;
        for (int i = 0; i < parts.length; i++) {
            boolean wide = i + 1 < parts.length && parts[i + 1] == -1;
            for (int b = 0; b < (wide ? 4 : 1); b++) {
                code[length++] = (byte) (parts[i] >>> 8 * b);
            }
            i += wide ? 1 : 0;
        }
        vm.memory().load(CODE, code);
        CpuState state = new CpuState();
        new BootEntry(CODE, 0).apply(state);
        vcpu.setState(state);
    }

    /** Sets the bitmap of pages from {@link #FIRST_GPA} on, in calls as large as the profile takes. */
    void protect(long pages, int bitmap) {
        int most = profile.maxPages();
        for (long page = 0; page < pages; page += most) {
            int[] bitmaps = new int[(int) Math.min(most, pages - page)];
            java.util.Arrays.fill(bitmaps, bitmap);
            expect(vm.setSubPages((FIRST_GPA >>> 12) + page, bitmaps));
        }
    }
}
