package org.vmxsim.mmu;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntConsumer;
import org.vmxsim.core.memory.PortBus;
import org.vmxsim.mmu.abi.Capability;
import org.vmxsim.mmu.abi.KernelOops;
import org.vmxsim.mmu.abi.KvmResult;
import org.vmxsim.mmu.emulation.AccessControl;
import org.vmxsim.mmu.ept.EptMmu;
import org.vmxsim.mmu.guest.EndPort;
import org.vmxsim.mmu.guest.RequestBits;
import org.vmxsim.mmu.guest.VmMemory;
import org.vmxsim.mmu.host.HostMemory;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.memslot.Memslots;
import org.vmxsim.mmu.spp.SppEnvironment;
import org.vmxsim.mmu.spp.SppProfile;
import org.vmxsim.mmu.spp.SubPageProtection;
import org.vmxsim.mmu.spp.SubPages;
import org.vmxsim.mmu.spp.fixed.FixedSubPages;
import org.vmxsim.mmu.spp.v12.SubPagesV12;
import org.vmxsim.mmu.spp.v4.SubPagesV4;
import org.vmxsim.mmu.trace.Tracer;
import org.vmxsim.mmu.trace.VmStatistics;
import org.vmxsim.mmu.track.PageTracking;
import org.vmxsim.mmu.upkeep.AccessTracking;
import org.vmxsim.mmu.upkeep.DirtyLog;
import org.vmxsim.mmu.upkeep.HostNotifications;
import org.vmxsim.mmu.upkeep.MemoryRegions;
import org.vmxsim.mmu.view.Views;

/** One virtual machine: memory, sub-page protection, devices, hypercalls, vCPUs. */
public final class Vm {
    /** How many vCPUs a virtual machine can have. */
    public static final int MAX_VCPUS = 64;

    private final Kvm kvm;
    private final Tracer tracer;
    private final HostMemory host;
    private final Memslots slots = new Memslots();
    private final EptMmu mmu;
    private final SubPageProtection subPages;
    private final MemoryRegions regions;
    private final VmMemory memory;
    private final VmMemory managementMemory;
    private final PortBus ports = new PortBus();
    private final EndPort end = new EndPort();
    private final Hypercalls hypercalls = new Hypercalls();
    private final Map<Integer, IntConsumer> cpuidListeners = new HashMap<>();
    private final List<Vcpu> vcpus = new ArrayList<>();
    private final RequestBits requests;
    private final AccessControl access;

    Vm(Kvm kvm, SppProfile profile) {
        this.kvm = kvm;
        this.tracer = new Tracer(kvm.nextVmNumber());
        this.requests = new RequestBits(tracer);
        this.host = new HostMemory(kvm.hostFrames());
        this.mmu = new EptMmu(kvm.kernel(), kvm.frames(), host, slots, kvm.largestPage(), tracer);
        this.access = new AccessControl(mmu, slots, requests, kvm.kernel(), kvm.frames(), kvm.capabilities());
        this.subPages = subPageProtection(profile);
        mmu.subPageRules(subPages);
        mmu.pageModificationLog(kvm.usesModificationLog());
        mmu.prefetch(kvm.config().prefetch());
        chooseAccessedDirty();
        this.regions = new MemoryRegions(slots, mmu, kvm.usesModificationLog(), subPages, access.tracking(), requests);
        host.addNotifier(new HostNotifications(slots, mmu, new AccessTracking(mmu), subPages, requests));
        this.memory = new VmMemory(kvm.memory(), host, slots);
        this.managementMemory = new VmMemory(kvm.memory(), host, slots, 1);
    }

    private SubPageProtection subPageProtection(SppProfile profile) {
        SppEnvironment environment = kvm.sppEnvironment(slots, mmu, requests);
        return switch (profile) {
            case FIXED -> new FixedSubPages(environment);
            case V4 -> new SubPagesV4(environment);
            case V12 -> new SubPagesV12(environment);
        };
    }

    /**
     * The crash of the host's kernel that ended the virtual machine; every later call gives it again.
     *
     * @return how the kernel crashed or hangs, or null
     */
    public KernelOops oops() {
        return hypercalls.endless() == null ? subPages.oops() : hypercalls.endless();
    }

    /**
     * The address space of the process that runs the virtual machine: where memslots get their memory.
     *
     * @return host virtual memory
     */
    public HostMemory host() {
        return host;
    }

    /**
     * Its views.
     *
     * @return the default view and those that were made
     */
    public Views views() {
        return access.views();
    }

    /**
     * The pages of which somebody in the hypervisor follows the use.
     *
     * @return page tracking
     */
    public PageTracking pageTracking() {
        return access.tracking();
    }

    /**
     * What the hypervisor does for this virtual machine, told as it happens.
     *
     * @return its tracepoints
     */
    public Tracer tracer() {
        return tracer;
    }

    /**
     * Guest-physical memory as that process reaches it: for loading images and looking at results.
     *
     * @return the memory behind the memslots
     */
    public VmMemory memory() {
        return memory;
    }

    /**
     * Adds, moves or deletes a memslot, or gives it other flags (KVM_SET_USER_MEMORY_REGION).
     *
     * @param slot memslot number in bits 15:0, address space in bits 31:16
     * @param flags {@link org.vmxsim.mmu.memslot.Memslot#READONLY} and
     *     {@link org.vmxsim.mmu.memslot.Memslot#LOG_DIRTY_PAGES}
     * @param gpa first guest-physical address, page-aligned
     * @param sizeBytes size, a multiple of 4096; 0 deletes
     * @param hva first address in {@link #host()}, page-aligned
     * @return 0; EINVAL for a malformed request and for changing size, host address or READONLY of an existing memslot;
     *     EEXIST for an overlap
     */
    public KvmResult setUserMemoryRegion(int slot, int flags, long gpa, long sizeBytes, long hva) {
        return regions.set(slot, flags, gpa, sizeBytes, hva);
    }

    /**
     * Changes the size of a memslot: deletes it and adds one of the new size in its place, as user space does.
     *
     * @param slot memslot number in bits 15:0, address space in bits 31:16
     * @param sizeBytes new size, a positive multiple of 4096
     * @return 0, or an error as {@link #setUserMemoryRegion} gives, without any change
     * @see MemoryRegions#resize
     */
    public KvmResult resizeMemory(int slot, long sizeBytes) {
        return regions.resize(slot, sizeBytes);
    }

    /**
     * The log of writes to memslots with the flag {@link org.vmxsim.mmu.memslot.Memslot#LOG_DIRTY_PAGES}.
     *
     * @return the calls that read and clear it
     */
    public DirtyLog dirtyLog() {
        return regions.dirtyLog();
    }

    /**
     * Adds a memslot with fresh memory: {@link #setUserMemoryRegion} with a range mapped for it.
     *
     * @param slot memslot number
     * @param gpa first guest-physical address, page-aligned
     * @param sizeBytes size, a multiple of the page size
     * @param backing size of the host's pages behind it
     * @return as {@link #setUserMemoryRegion}
     * @throws IllegalArgumentException if the size is no positive multiple of the page size
     */
    public KvmResult addMemory(int slot, long gpa, long sizeBytes, PageSize backing) {
        return setUserMemoryRegion(slot, 0, gpa, sizeBytes, host.map(sizeBytes, given(backing, "backing")));
    }

    /**
     * Enables a capability (KVM_ENABLE_CAP).
     *
     * @param capability the capability
     * @return 0; ENODEV if the processors lack it; ENOMEM
     */
    public KvmResult enableCap(Capability capability) {
        return enableCap(capability, 0);
    }

    /**
     * Enables a capability (KVM_ENABLE_CAP).
     *
     * @param capability the capability
     * @param argument its argument, {@code args[0]}; 0 for one that has none
     * @return 0; ENODEV if the processors lack it; EINVAL for an argument that it does not know; ENOMEM
     */
    public KvmResult enableCap(Capability capability, long argument) {
        return switch (given(capability, "capability")) {
            case SPP -> enableSubPages();
            case MANUAL_DIRTY_LOG_PROTECT2 -> regions.dirtyLog().enable(argument);
        };
    }

    private KvmResult enableSubPages() {
        KvmResult result = subPages.enable();
        chooseAccessedDirty();
        return result;
    }

    /**
     * Sets the sub-page bitmaps of consecutive pages; all of them or none.
     *
     * @param gfn first guest frame
     * @param bitmaps one for each page; bit i allows writes to bytes 128*i to 128*i+127; all ones ends protection
     * @return the number of pages; ENODEV before {@link Capability#SPP} is enabled; EINVAL for more than 512 pages;
     *     EFAULT if a page is in no memslot
     */
    public KvmResult setSubPages(long gfn, int[] bitmaps) {
        mmu.dropSubstitutes(gfn, gfn + given(bitmaps, "bitmaps").length - 1);
        KvmResult result = subPages.set(gfn, bitmaps);
        requestFlushes();
        return result;
    }

    private static <T> T given(T value, String name) {
        if (value == null) {
            throw new IllegalArgumentException("need " + name + ", got null");
        }
        return value;
    }

    /**
     * Reads the sub-page bitmaps of consecutive pages.
     *
     * @param gfn first guest frame
     * @param npages how many pages
     * @return the bitmaps and the number of pages, or an error as {@link #setSubPages} gives
     */
    public SubPages getSubPages(long gfn, int npages) {
        return subPages.get(gfn, npages);
    }

    /**
     * Makes a vCPU on a processor of its own. Its registers are to be set before it runs.
     *
     * @return the vCPU
     * @throws IllegalArgumentException if there are {@value #MAX_VCPUS}, every processor has a vCPU already, or no
     *     frame is free
     */
    public Vcpu createVcpu() {
        if (vcpus.size() == MAX_VCPUS) {
            throw new IllegalArgumentException("need fewer than " + MAX_VCPUS + " vCPUs, got " + vcpus.size());
        }
        Vcpu vcpu = new Vcpu(this, vcpus.size(), kvm.takeProcessor());
        vcpus.add(vcpu);
        requests.add();
        subPages.vcpuCreated(vcpu.id());
        return vcpu;
    }

    /**
     * The vCPUs.
     *
     * @return in the order they were made; unmodifiable
     */
    public List<Vcpu> vcpus() {
        return List.copyOf(vcpus);
    }

    /**
     * Devices behind ports that the virtual machine answers by itself. A port without a device goes to the caller.
     *
     * @return the virtual machine's ports
     */
    public PortBus ports() {
        return ports;
    }

    /**
     * Puts a device behind a port whose writes end the virtual machine: {@link Vcpu#run} returns
     * {@link VcpuExit.SystemEvent}.
     *
     * @param port port number
     */
    public void attachEnd(int port) {
        ports.attach(port, 1, end);
    }

    /** The value that ended the virtual machine, once. */
    Integer takeEndRequest() {
        return end.take();
    }

    /**
     * Its hypercalls.
     *
     * @return who answers them
     */
    public Hypercalls hypercalls() {
        return hypercalls;
    }

    /**
     * Tells somebody when the guest executes CPUID with a leaf that no processor has, to mark a region of interest.
     *
     * @param leaf the value of EAX
     * @param listener gets ECX
     */
    public void onCpuid(int leaf, IntConsumer listener) {
        cpuidListeners.put(leaf, listener);
    }

    void cpuid(int leaf, int subleaf) {
        IntConsumer listener = cpuidListeners.get(leaf);
        if (listener != null) {
            listener.accept(subleaf);
        }
    }

    /**
     * What the tables hold now.
     *
     * @return sizes
     */
    public VmStatistics statistics() {
        return new VmStatistics(
                mmu.mappedPages(PageSize.SIZE_4K),
                mmu.mappedPages(PageSize.SIZE_2M),
                mmu.mappedPages(PageSize.SIZE_1G),
                mmu.tablePages(),
                subPages.tablePages(),
                subPages.filledRegions(),
                kvm.kernel().loads(),
                kvm.kernel().stores(),
                tracer.counts());
    }

    /**
     * The hypervisor that it belongs to.
     *
     * @return who made it
     */
    public Kvm kvm() {
        return kvm;
    }

    Memslots slots() {
        return slots;
    }

    EptMmu mmu() {
        return mmu;
    }

    /**
     * Sub-page protection: which profile it is, whether it is enabled.
     *
     * @return the service behind {@link #setSubPages}
     */
    public SubPageProtection subPages() {
        return subPages;
    }

    VmMemory memory(int addressSpace) {
        return addressSpace == 0 ? memory : managementMemory;
    }

    AccessControl access() {
        return access;
    }

    RequestBits requests() {
        return requests;
    }

    /** Without accessed and dirty flags once sub-pages are protected, see {@link KvmConfig}. */
    private void chooseAccessedDirty() {
        boolean off = subPages.profile() == SppProfile.FIXED && subPages.isActive();
        mmu.roots().accessedDirty(kvm.eptAccessedDirty() && !off);
        requestFlushes();
    }

    /** Asks each vCPU that may have cached what is no longer so to invalidate before it enters the guest. */
    void requestFlushes() {
        if (mmu.takeFlushRequest()) {
            requests.flushAll();
        }
    }
}
