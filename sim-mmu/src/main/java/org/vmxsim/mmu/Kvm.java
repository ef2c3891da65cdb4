package org.vmxsim.mmu;

import java.util.List;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.core.memory.RamRange;
import org.vmxsim.core.model.CpuFeature;
import org.vmxsim.mmu.ept.EptMmu;
import org.vmxsim.mmu.ept.VcpuRequests;
import org.vmxsim.mmu.guest.GuestMsrs;
import org.vmxsim.mmu.guest.GuestVmcs;
import org.vmxsim.mmu.guest.ModificationLog;
import org.vmxsim.mmu.host.FrameAllocator;
import org.vmxsim.mmu.host.HostFrames;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.intercept.Intercepts;
import org.vmxsim.mmu.memslot.Memslots;
import org.vmxsim.mmu.page.KernelMemory;
import org.vmxsim.mmu.spp.SppEnvironment;
import org.vmxsim.mmu.spp.SppGlobals;
import org.vmxsim.mmu.spp.SppProfile;
import org.vmxsim.vmx.LogicalProcessor;
import org.vmxsim.vmx.Machine;
import org.vmxsim.vmx.VmxUnit;
import org.vmxsim.vmx.control.ControlGroup;
import org.vmxsim.vmx.control.SecondaryControls;
import org.vmxsim.vmx.control.VmxCapabilities;
import org.vmxsim.vmx.control.VmxStatus;
import org.vmxsim.vmx.vmcs.Vmcs;

/**
 * The hypervisor of a machine: makes virtual machines. It owns the machine's RAM from 1 MiB up and all its logical
 * processors; each vCPU gets a processor of its own. Works above the VM-exit line: VMX instructions, loads and stores
 * of physical memory, and VM exits are all it has.
 */
public final class Kvm {
    private static final long FIRST_FRAME = 1 << 20;

    private final PhysicalMemory memory;
    private final List<VmxUnit> processors;
    private final KvmConfig config;
    private final long tscHz;
    private final KernelMemory kernel;
    private final FrameAllocator frames;
    private final HostFrames hostFrames;
    private final long msrBitmap;
    private final SppGlobals sppGlobals = new SppGlobals();
    private int processorsUsed;
    private int vmsMade;

    private Kvm(Machine machine, KvmConfig config) {
        this.memory = machine.memory();
        this.processors =
                machine.processors().stream().map(LogicalProcessor::vmx).toList();
        this.config = config;
        this.tscHz = machine.config().timing().number("clock.tscMhz") * 1_000_000L;
        this.kernel = new KernelMemory(memory);
        this.frames = new FrameAllocator(memory);
        for (RamRange range : memory.ramRanges()) {
            long first = Math.max(range.base(), FIRST_FRAME);
            long end = range.base() + range.sizeBytes();
            if (first < end) {
                frames.add(first, end - first);
            }
        }
        this.hostFrames = new HostFrames(memory, frames);
        this.msrBitmap = frame();
        GuestMsrs.writeBitmaps(memory, msrBitmap);
    }

    /**
     * Takes over a machine, with {@link KvmConfig#DEFAULT}.
     *
     * @param machine a machine that has VMX, and runs nothing else
     * @return the hypervisor
     * @throws IllegalArgumentException if the machine has no VMX, another hypervisor, or no RAM above 1 MiB
     */
    public static Kvm on(Machine machine) {
        return on(machine, KvmConfig.DEFAULT);
    }

    /**
     * Takes over a machine.
     *
     * @param machine a machine that has VMX, and runs nothing else
     * @param config choices
     * @return the hypervisor
     * @throws IllegalArgumentException if the machine has no VMX, another hypervisor, or no RAM above 1 MiB
     */
    public static Kvm on(Machine machine, KvmConfig config) {
        if (machine == null || config == null) {
            throw new IllegalArgumentException("need a machine and choices, got " + machine + " and " + config);
        }
        if (!machine.config().cpu().has(CpuFeature.VMX)) {
            throw new IllegalArgumentException(
                    "need a CPU model with VMX, got " + machine.config().cpu().name());
        }
        machine.takeOver();
        return new Kvm(machine, config);
    }

    /**
     * Makes a virtual machine without memory and vCPUs.
     *
     * @return the virtual machine
     * @throws IllegalArgumentException if no frame is free
     */
    public Vm createVm() {
        return createVm(SppProfile.FIXED);
    }

    /**
     * Makes a virtual machine without memory and vCPUs.
     *
     * @param subPages which sub-page protection it has
     * @return the virtual machine
     * @throws IllegalArgumentException if no frame is free
     */
    public Vm createVm(SppProfile subPages) {
        if (subPages == null) {
            throw new IllegalArgumentException("need a profile of sub-page protection, got null");
        }
        return new Vm(this, subPages);
    }

    /**
     * The pages of the processes that run virtual machines: for files that several map, for swap, for merging.
     *
     * @return what their address spaces share
     */
    public HostFrames hostFrames() {
        return hostFrames;
    }

    int nextVmNumber() {
        return vmsMade++;
    }

    SppEnvironment sppEnvironment(Memslots slots, EptMmu mmu, VcpuRequests vcpus) {
        return new SppEnvironment(
                kernel, frames, slots, mmu, vcpus, mmu.caches(), sppGlobals, supportsSubPages(), config.nested());
    }

    /**
     * How many bytes of the machine's RAM are free.
     *
     * @return bytes
     */
    public long freeBytes() {
        return frames.freeBytes();
    }

    /**
     * The choices.
     *
     * @return as given
     */
    public KvmConfig config() {
        return config;
    }

    /**
     * What VMX can do on the machine's processors, which are alike.
     *
     * @return the capability MSRs
     */
    public VmxCapabilities capabilities() {
        return processors.get(0).capabilities();
    }

    /**
     * How fast the time-stamp counter is by the machine's timing preset. In the functional engine, where it counts
     * instructions, that is its nominal frequency.
     *
     * @return ticks a second
     */
    public long tscHz() {
        return tscHz;
    }

    private boolean supportsSubPages() {
        return GuestVmcs.supportsSubPages(capabilities());
    }

    boolean eptAccessedDirty() {
        return config.eptAccessedDirty() && (capabilities().eptVpid() & VmxCapabilities.EPT_ACCESSED_DIRTY) != 0;
    }

    /** What was asked for, as far as the processors have it. */
    PageSize largestPage() {
        long capability = capabilities().eptVpid();
        PageSize largest = config.largestPage();
        if (largest == PageSize.SIZE_1G && (capability & VmxCapabilities.EPT_1G) == 0) {
            largest = PageSize.SIZE_2M;
        }
        return largest == PageSize.SIZE_2M && (capability & VmxCapabilities.EPT_2M) == 0 ? PageSize.SIZE_4K : largest;
    }

    /** The next processor without a vCPU, in VMX operation. */
    VmxUnit takeProcessor() {
        if (processorsUsed == processors.size()) {
            throw new IllegalArgumentException("need a processor for each vCPU, got processors=" + processors.size());
        }
        VmxUnit vmx = processors.get(processorsUsed++);
        long region = frame();
        memory.writeInt(region, Vmcs.REVISION);
        if (vmx.vmxon(region) != VmxStatus.SUCCEED) {
            throw new IllegalArgumentException("need a processor outside VMX operation, got one inside");
        }
        return vmx;
    }

    Intercepts createIntercepts(int vcpu, GuestVmcs vmcs) {
        return new Intercepts(vcpu, vmcs, memory, this::frame);
    }

    GuestVmcs createVmcs(VmxUnit vmx) {
        // VPIDs need to differ on one processor only; distinct ones are easier to follow.
        return new GuestVmcs(vmx, frame(), msrBitmap, processorsUsed);
    }

    /** Whether processors log writes themselves: if they can, and it is asked for. */
    boolean usesModificationLog() {
        return eptAccessedDirty()
                && config.modificationLog()
                && capabilities().allows(ControlGroup.SECONDARY, SecondaryControls.PML);
    }

    ModificationLog createModificationLog(VmxUnit vmx, GuestVmcs vmcs) {
        return new ModificationLog(vmx, vmcs, kernel, usesModificationLog() ? frame() : ModificationLog.NO_BUFFER);
    }

    private long frame() {
        long hpa = frames.allocate(PageSize.SIZE_4K);
        if (hpa == FrameAllocator.NONE) {
            throw new IllegalArgumentException("need a free frame above 1 MiB, got freeBytes=0");
        }
        return hpa;
    }

    PhysicalMemory memory() {
        return memory;
    }

    KernelMemory kernel() {
        return kernel;
    }

    FrameAllocator frames() {
        return frames;
    }
}
