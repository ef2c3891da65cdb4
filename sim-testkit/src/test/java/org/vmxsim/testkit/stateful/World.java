package org.vmxsim.testkit.stateful;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.vmxsim.core.boot.BootEntry;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.time.TimingPreset;
import org.vmxsim.mmu.Kvm;
import org.vmxsim.mmu.Vcpu;
import org.vmxsim.mmu.VcpuExit;
import org.vmxsim.mmu.Vm;
import org.vmxsim.mmu.abi.Capability;
import org.vmxsim.mmu.abi.Errno;
import org.vmxsim.mmu.abi.KvmResult;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.memslot.Memslot;
import org.vmxsim.mmu.spp.SppProfile;
import org.vmxsim.mmu.view.ViewAccessHandler;
import org.vmxsim.testkit.reference.ReferencePermissions;
import org.vmxsim.testkit.value.GuestAccess;
import org.vmxsim.testkit.value.GuestAccess.Piece;
import org.vmxsim.testkit.value.MemoryLayout.Slot;
import org.vmxsim.vmx.Machine;
import org.vmxsim.vmx.MachineConfig;

/** A virtual machine and the naive model of what it must do, side by side. */
final class World {
    /**
     * Small memslots with a hole behind them, a read-only one, one of a large page, and one whose small pages the host
     * may make a large one.
     */
    static final List<Slot> HOME = List.of(
            new Slot(1, 0x200, 3, false),
            new Slot(2, 0x203, 2, false),
            new Slot(3, 0x210, 1, true),
            new Slot(4, 0x400, 512, false),
            new Slot(5, 0x600, 512, false));
    /** Where memslots 1 and 2 may move to: another region of 2 MiB. */
    static final long AWAY = 0x1000;
    /** Pages that accesses go to: first guest frame and number of pages of each window. */
    static final long[][] WINDOWS = {{0x200, 6}, {AWAY, 5}, {0x3ff, 3}, {0x5fe, 4}, {0x7fe, 3}, {0x20f, 3}};

    static final int PROCESSORS = 4;
    /** How long things take is not looked at, and small caches are made faster. */
    private static final TimingPreset SMALL_CACHES = MachineConfig.DEFAULT
            .timing()
            .with(Map.of(
                    "l1i.sizeBytes", "4096",
                    "l1d.sizeBytes", "6144",
                    "l2.sizeBytes", "20480",
                    "l3.sizeBytes", "24576"));

    static final int SWAP_PAGES = 64;
    static final int MAX_SNAPSHOTS = 8;
    static final long FIRST_SNAPSHOT = 0x6000_0000_0000L;
    /** Enough for every step; a vCPU that misses without end has come to it soon. */
    static final long BUDGET = 4000;

    static final long IDT = 0x8000;
    static final long GDT = 0x9000;
    static final long HANDLER = 0x7000;

    final SppProfile profile;
    /** How many vCPUs there may be. */
    final int processors;

    final Machine machine;
    final Kvm kvm;
    final Vm vm;
    final ReferencePermissions model;
    final Hazards hazards;
    /** Host virtual address of each memslot's memory, by number. */
    final long[] hvas = new long[HOME.size() + 1];
    /** The memory of memslots that are not there now. */
    final byte[][][] detached = new byte[HOME.size() + 1][][];

    /** Whether the mapping behind memslot 5 is in parts, so that no large page can come of it. */
    boolean mappingCut;
    /** What is done about an access that a view denies: never a change of the outcome. */
    ViewAccessHandler.Answer restricted = ViewAccessHandler.Answer.CONTINUE;

    /** The page that memslot 2 has lost. */
    byte[] cut;
    /** Whether the logs of dirty pages are to be compared wherever a write is denied. */
    boolean watched;
    /** What is told about tracked pages. */
    final TrackingSteps.Told told = new TrackingSteps.Told();
    /** Host virtual address of the code that runs in system-management mode; 0 before any did. */
    long codeInSmm;

    private final TreeSet<Long> touched = new TreeSet<>();
    private final List<byte[]> snapshots = new ArrayList<>();
    private final byte[] page = new byte[4096];

    World(SppProfile profile, Setup setup) {
        this.profile = profile;
        processors = setup.processors();
        machine = Machine.of(MachineConfig.DEFAULT
                .withMemory(64 << 20)
                .withTiming(SMALL_CACHES)
                .withProcessors(setup.processors())
                .withEngine(setup.engine()));
        kvm = Kvm.on(machine, setup.config());
        kvm.hostFrames().swapPages(SWAP_PAGES);
        vm = kvm.createVm(profile);
        vm.views().onDenied(access -> restricted);
        vm.pageTracking().register(told);
        model = new ReferencePermissions(profile);
        hazards = new Hazards(this, setup);
        assertThat(vm.addMemory(0, 0, 1 << 16, PageSize.SIZE_4K).isOk()).isTrue();
        model.addMemory(new Slot(0, 0, 16, false), new byte[16][]);
        for (Slot slot : HOME) {
            PageSize backing = slot.id() == 4 ? PageSize.SIZE_2M : PageSize.SIZE_4K;
            hvas[slot.id()] = vm.host().map((long) slot.npages() << 12, backing);
            detached[slot.id()] = new byte[slot.npages()][];
            add(slot);
        }
        descriptors();
        for (int i = 0; i < setup.vcpus(); i++) {
            Vcpu vcpu = addVcpu();
            if (profile == SppProfile.V12) {
                // It looks at the tables of vCPU 0 alone; as long as that has none, no mapping follows its bitmap.
                vcpu.setState(before(vcpu, code(vcpu)));
                assertThat(run(vcpu)).isInstanceOf(VcpuExit.Hlt.class);
            }
        }
    }

    /** A flat code segment, and a gate for vector 3 that leads to HLT. */
    private void descriptors() {
        poke(GDT + 8, 0xff, 0xff, 0, 0, 0, 0x9b, 0xcf, 0);
        poke(IDT + 8 * 3, HANDLER & 0xff, HANDLER >>> 8, 8, 0, 0, 0x8e, 0, 0);
        poke(HANDLER, 0xf4);
    }

    /** The process stores into the virtual machine's memory: no permission is asked. */
    void poke(long gpa, long... bytes) {
        byte[] stored = new byte[bytes.length];
        for (int i = 0; i < stored.length; i++) {
            stored[i] = (byte) bytes[i];
            model.poke(gpa + i, stored[i]);
        }
        vm.memory().load(gpa, stored);
        touched.add(gpa >>> 12);
        touched.add(gpa + bytes.length - 1 >>> 12);
    }

    void add(Slot slot) {
        int id = slot.id();
        change(slot, slot.readOnly() ? Memslot.READONLY : 0);
        model.addMemory(slot, detached[id]);
        detached[id] = null;
    }

    /** KVM_SET_USER_MEMORY_REGION, which must succeed. */
    void change(Slot slot, int flags) {
        long sizeBytes = (long) slot.npages() << 12;
        assertThat(vm.setUserMemoryRegion(slot.id(), flags, slot.baseGfn() << 12, sizeBytes, hvas[slot.id()]))
                .isEqualTo(KvmResult.OK);
    }

    /** The contents of a whole memslot: with the page that was cut off, if one was. */
    byte[][] whole(int id, byte[][] pages) {
        byte[][] whole = Arrays.copyOf(pages, HOME.get(id - 1).npages());
        if (pages.length < whole.length) {
            whole[pages.length] = cut;
        }
        return whole;
    }

    /** Host virtual address of a page in a memslot. */
    long hva(Slot slot, long gfn) {
        return hvas[slot.id()] + (gfn - slot.baseGfn() << 12);
    }

    Slot slotAt(long gfn) {
        return model.slots().stream()
                .filter(slot -> slot.contains(gfn))
                .findFirst()
                .orElse(null);
    }

    Slot slotById(int id) {
        return model.slots().stream()
                .filter(slot -> slot.id() == id)
                .findFirst()
                .orElse(null);
    }

    Vcpu vcpu(int number) {
        return vm.vcpus().get(number % vm.vcpus().size());
    }

    /** Puts a vCPU in front of code in flat 32-bit protected mode without paging. */
    CpuState before(Vcpu vcpu, long rip) {
        CpuState state = new CpuState();
        new BootEntry((int) rip, 0).apply(state);
        state.idtrBase = IDT;
        state.idtrLimit = 0x7ff;
        state.gdtrBase = GDT;
        state.gdtrLimit = 0xff;
        return state;
    }

    /** Code of a vCPU that does not lie in tested memory. */
    long code(Vcpu vcpu, int... bytes) {
        long at = 0x1000L * (vcpu.id() + 1);
        long[] code = new long[bytes.length + 1];
        for (int i = 0; i < bytes.length; i++) {
            code[i] = bytes[i];
        }
        code[bytes.length] = 0xf4;
        poke(at, code);
        return at;
    }

    void enable() {
        if (!model.isActive()) {
            hazards.enabled();
        }
        assertThat(vm.enableCap(Capability.SPP).returnValue()).isEqualTo(model.enable());
    }

    Vcpu addVcpu() {
        hazards.vcpuAdded();
        return vm.createVcpu();
    }

    /** Lets a vCPU run; a crash of the host's kernel ends the sequence, and must be one that is documented. */
    VcpuExit run(Vcpu vcpu) {
        hazards.runs(vcpu.id());
        VcpuExit exit = vcpu.run(BUDGET);
        endIfCrashed();
        if (exit instanceof VcpuExit.InternalError && hazards.mayMisconfigure()) {
            end(exit.toString());
        }
        return exit;
    }

    /** Ends the sequence if the host's kernel has crashed. */
    void endIfCrashed() {
        if (vm.subPages().oops() != null) {
            assertThat(hazards.mayCrash()).as("%s", vm.subPages().oops()).isTrue();
            throw new SequenceEnd(vm.subPages().oops().function());
        }
    }

    /** Nothing can be said about what would come next. */
    void end(String why) {
        throw new SequenceEnd(why);
    }

    /** An event is being delivered without end: how much of its frame has been stored is read off. */
    void unknown(GuestAccess frame) {
        for (int push = 0; push < frame.count(); push++) {
            for (Piece piece : frame.pieces(push)) {
                model.tried(piece.gpa());
                byte[] held = vm.memory().read(piece.gpa(), piece.sizeBytes());
                for (int i = 0; i < held.length; i++) {
                    model.poke(piece.gpa() + i, held[i]);
                }
            }
        }
    }

    /** Whether a hazard lets a write end otherwise than its bitmap says. */
    boolean may(Hazard.Effect effect, Vcpu vcpu, Piece piece) {
        return hazards.may(effect, vcpu.id(), piece.gfn());
    }

    /** Sets bitmaps in both; they must answer alike, but for the hazards named. */
    void set(long gfn, int... bitmaps) {
        boolean crashes = hazards.crashes(gfn, bitmaps.length);
        KvmResult call = vm.setSubPages(gfn, bitmaps);
        endIfCrashed();
        assertThat(crashes).as("S8").isFalse();
        int result = call.returnValue();
        if (hazards.lacksRoot() && model.getResult(gfn, bitmaps.length) != -Errno.ENODEV.number()) {
            assertThat(result).as("without a root").isEqualTo(-Errno.EFAULT.number());
            return;
        }
        int expected = model.set(gfn, bitmaps);
        boolean hidden =
                profile == SppProfile.V4 && result == 0 && expected == -Errno.EFAULT.number() && slotAt(gfn) != null;
        assertThat(result == expected || hidden)
                .as("set gfn 0x%x returned %d, expected %d", gfn, result, expected)
                .isTrue();
        if (model.isActive()) {
            hazards.set(gfn, bitmaps.length, result == bitmaps.length);
        }
    }

    /** The guest stores: remembered for the comparison at the end of the step. */
    void store(long gpa, int sizeBytes, long value) {
        for (int i = 0; i < sizeBytes; i++) {
            byte stored = (byte) (value >>> 8 * i);
            if (model.load(gpa + i) != stored && TrackingSteps.isTracked(this, gpa + i >>> 12)) {
                told.changed(gpa + i);
            }
            model.store(gpa + i, stored);
        }
        touch(gpa, sizeBytes);
    }

    void touch(long gpa, int sizeBytes) {
        touched.add(gpa >>> 12);
        touched.add(gpa + sizeBytes - 1 >>> 12);
    }

    long load(long gpa, int sizeBytes) {
        long value = 0;
        for (int i = 0; i < sizeBytes; i++) {
            value |= (model.load(gpa + i) & 0xffL) << 8 * i;
        }
        return value;
    }

    /** Compares the pages that the last step was about. */
    void compareTouched() {
        told.compare(this);
        for (long gfn : touched) {
            compare(gfn);
        }
        touched.clear();
    }

    /** Compares all memory of the small memslots, and the pages of the windows. */
    void compareAll() {
        compareSnapshots();
        for (Slot slot : model.slots()) {
            for (long gfn = slot.baseGfn(); gfn < slot.baseGfn() + Math.min(slot.npages(), 8); gfn++) {
                compare(gfn);
            }
        }
        for (long[] window : WINDOWS) {
            for (long gfn = window[0]; gfn < window[0] + window[1]; gfn++) {
                compare(gfn);
            }
        }
    }

    /** The host has made a page zeros. */
    void zero(long gfn) {
        model.clear(gfn);
        touched.add(gfn);
    }

    /** Copies a page as fork does, and remembers what it held. */
    void snapshot(long hva, long gfn) {
        if (snapshots.size() < MAX_SNAPSHOTS) {
            byte[] bytes = model.page(gfn).clone();
            long to = FIRST_SNAPSHOT + ((long) snapshots.size() << 12);
            vm.host().ranges().shareCopyOnWrite(hva, 4096, vm.host(), to);
            snapshots.add(bytes);
        }
    }

    private void compareSnapshots() {
        for (int i = 0; i < snapshots.size() && !hazards.copiesMayBeWritten(); i++) {
            assertThat(vm.host().read(FIRST_SNAPSHOT + ((long) i << 12), 4096))
                    .as("copy %d", i)
                    .isEqualTo(snapshots.get(i));
        }
    }

    private void compare(long gfn) {
        if (slotAt(gfn) == null) {
            return;
        }
        machine.memory().dump(vm.memory().hpa(gfn << 12), page, 0, page.length);
        int at = Arrays.mismatch(page, model.page(gfn));
        if (at >= 0 && hazards.mayShareWrites(gfn)) {
            for (int offset = at; offset < page.length; offset++) {
                model.poke((gfn << 12) + offset, page[offset]);
            }
        } else if (at >= 0) {
            throw new AssertionError(String.format(
                    "gpa 0x%x holds 0x%02x, expected 0x%02x", (gfn << 12) + at, page[at], model.page(gfn)[at]));
        }
    }
}
