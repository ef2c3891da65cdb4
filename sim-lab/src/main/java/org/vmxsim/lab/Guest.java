package org.vmxsim.lab;

import java.util.List;
import java.util.function.UnaryOperator;
import org.vmxsim.core.boot.BootEntry;
import org.vmxsim.core.boot.MultibootImage;
import org.vmxsim.core.boot.SymbolTable;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.model.CpuModel;
import org.vmxsim.core.platform.DebugConsole;
import org.vmxsim.core.platform.DebugExit;
import org.vmxsim.core.platform.Uart16550;
import org.vmxsim.core.time.TimingPreset;
import org.vmxsim.lab.report.RunReport;
import org.vmxsim.lab.report.Timeline;
import org.vmxsim.lab.scenario.EptPageSize;
import org.vmxsim.lab.scenario.Fidelity;
import org.vmxsim.lab.scenario.Scenario;
import org.vmxsim.lab.subpage.GuestNames;
import org.vmxsim.lab.subpage.WholePages;
import org.vmxsim.mmu.Kvm;
import org.vmxsim.mmu.KvmConfig;
import org.vmxsim.mmu.Vcpu;
import org.vmxsim.mmu.Vm;
import org.vmxsim.mmu.abi.Capability;
import org.vmxsim.mmu.abi.KvmResult;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.spp.SppProfile;
import org.vmxsim.mmu.trace.VcpuStatistics;
import org.vmxsim.mmu.trace.VmStatistics;
import org.vmxsim.spp.SppOptions;
import org.vmxsim.vmx.Engine;
import org.vmxsim.vmx.LogicalProcessor;
import org.vmxsim.vmx.Machine;
import org.vmxsim.vmx.MachineConfig;
import org.vmxsim.vmx.exit.ExitReason;

/** A scenario, assembled: machine, hypervisor, virtual machine with one vCPU, loaded image, names. */
final class Guest {
    private static final int MARKER_LEAF = 0x4d58_4d56;
    private static final long TABLES_BYTES = 64L << 20;

    final Machine machine;
    final Vm vm;
    final Vcpu vcpu;
    final SymbolTable symbols;
    final GuestNames names;
    final WholePages wholePages;
    final Regions regions = new Regions(this);
    /** The marker that the guest passed last: 0 none, 1 begin, 2 end. */
    int marker;

    /** A virtual machine without an image: memory, devices and a vCPU. */
    Guest(
            MachineConfig config,
            long memoryBytes,
            KvmConfig hypervisor,
            SppProfile profile,
            SymbolTable symbols,
            RunListener listener) {
        machine = Machine.of(config);
        vm = Kvm.on(machine, hypervisor).createVm(profile);
        wholePages = new WholePages(vm);
        require(vm.addMemory(0, 0, memoryBytes, hypervisor.largestPage()), "guest memory of " + memoryBytes + " bytes");
        vm.ports().attach(Uart16550.COM1, Uart16550.PORTS, new Uart16550(listener::console));
        vm.ports().attach(DebugConsole.PORT, 1, new DebugConsole(listener::console));
        vm.attachEnd(DebugExit.PORT);
        vcpu = vm.createVcpu();
        vm.onCpuid(MARKER_LEAF, subleaf -> {
            marker = subleaf;
            regions.begin(subleaf);
            vcpu.kick();
        });
        this.symbols = symbols;
        this.names = new GuestNames(symbols, this::readLong);
    }

    /**
     * The guest of a scenario, ready to run, on a variant of its timing preset.
     *
     * @param introspected whether a tool can come: the series goes without EPT's accessed and dirty flags then, with
     *     which each walk of the guest's paging structures counts as a write to them
     */
    static Guest of(
            Scenario scenario, RunListener listener, UnaryOperator<TimingPreset> variant, boolean introspected) {
        MultibootImage image = parse(scenario);
        Engine engine = scenario.fidelity() == Fidelity.CYCLE ? Engine.CYCLE : Engine.FUNCTIONAL;
        MachineConfig config = config(scenario.cpu(), scenario.timing(), engine, scenario.memoryBytes());
        config = config.withTiming(variant.apply(config.timing()));
        config = config.withSppOptions(
                SppOptions.DEFAULT.withCacheVectors(scenario.spp().cacheVectors()));
        KvmConfig hypervisor = hypervisor(scenario.eptPageSize(), scenario.memoryBytes());
        Guest guest = new Guest(
                config,
                scenario.memoryBytes(),
                introspected ? hypervisor.withFlags(false, false) : hypervisor,
                scenario.spp().profile(),
                image.symbols(),
                listener);
        String commandLine =
                (scenario.guest().programName() + " " + scenario.guest().arguments()).strip();
        BootEntry entry = image.load(guest.vm.memory(), commandLine, List.of());
        CpuState state = new CpuState();
        entry.apply(state);
        guest.vcpu.setState(state);
        if (scenario.spp().enabled()) {
            require(guest.vm.enableCap(Capability.SPP), "sub-page protection on the CPU model " + scenario.cpu());
        }
        return guest;
    }

    private static MultibootImage parse(Scenario scenario) {
        byte[] image = scenario.guest().read();
        try {
            return MultibootImage.parse(image);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("guest image " + scenario.guest().image() + ": " + e.getMessage(), e);
        }
    }

    /** A machine for a hypervisor that gives its guest so much memory: the rest is for tables. */
    static MachineConfig config(String cpu, String timing, Engine engine, long guestBytes) {
        MachineConfig config =
                MachineConfig.DEFAULT.withCpu(CpuModel.named(cpu)).withEngine(engine);
        if (!timing.isEmpty()) {
            config = config.withTiming(TimingPreset.named(timing));
        }
        return config.withMemory(guestBytes + guestBytes / 64 + TABLES_BYTES & ~0xfffL);
    }

    /** A hypervisor that maps pages up to a size, if the memory is a multiple of it. */
    static KvmConfig hypervisor(EptPageSize largest, long memoryBytes) {
        return KvmConfig.DEFAULT.withLargestPage(backing(largest, memoryBytes));
    }

    /** The largest page that the memory is a multiple of. */
    private static PageSize backing(EptPageSize largest, long memoryBytes) {
        if (largest == EptPageSize.SIZE_1G && memoryBytes % EptPageSize.SIZE_1G.sizeBytes() == 0) {
            return PageSize.SIZE_1G;
        }
        return largest == EptPageSize.SIZE_4K ? PageSize.SIZE_4K : PageSize.SIZE_2M;
    }

    static void require(KvmResult result, String what) {
        if (!result.isOk()) {
            throw new IllegalArgumentException(
                    "the machine does not have what the scenario asks for: " + what + " (" + result.errno() + ")");
        }
    }

    /** Reads guest memory for names; 0 where there is none. */
    private long readLong(long gpa) {
        return vm.memory().hpa(gpa) < 0 || (gpa & 7) != 0 ? 0 : vm.memory().readLong(gpa);
    }

    /** Retired guest instructions. */
    long instructions() {
        return vcpu.processor().retired;
    }

    /** Time so far: cycles while the cycle engine ran, one tick an instruction while it did not. */
    long cycles() {
        LogicalProcessor processor = machine.processors().get(0);
        return processor.cycleModel().cycles() + processor.functionalInstructions();
    }

    /** The counters now. */
    RunReport.Sample sample() {
        VcpuStatistics.Snapshot counts = vcpu.statistics().snapshot();
        return new RunReport.Sample(
                instructions(),
                cycles(),
                counts.totalExits(),
                counts.exits(ExitReason.EPT_VIOLATION),
                counts.exits(ExitReason.SPP_RELATED_EVENT),
                counts.exits(ExitReason.VMCALL));
    }

    /** VM exits so far, by reason. */
    List<RunReport.ExitCount> exits() {
        return new MachineFigures(machine.processors().subList(0, 1))
                .exits(vcpu.statistics().snapshot().exitsByReason());
    }

    /** What the tables take now. */
    RunReport.Memory memory(long bitmapBytes) {
        VmStatistics sizes = vm.statistics();
        return new RunReport.Memory(
                sizes.pages4k(),
                sizes.pages2m(),
                sizes.pages1g(),
                sizes.eptTablePages() << PageSize.SIZE_4K.shift(),
                sizes.spptTablePages() << PageSize.SIZE_4K.shift(),
                bitmapBytes);
    }

    /** The report of a run that has ended, without denied writes and protected pages. */
    RunReport report(String title, String configuration, RunReport.End end, Timeline timeline) {
        MachineFigures figures = new MachineFigures(machine.processors().subList(0, 1));
        return new RunReport(
                title,
                configuration,
                end,
                figures.totals(),
                exits(),
                figures.causes(),
                figures.walks(),
                figures.structures(),
                List.of(),
                List.of(),
                timeline.samples(),
                RunReport.Memory.NONE,
                regions.ended());
    }
}
