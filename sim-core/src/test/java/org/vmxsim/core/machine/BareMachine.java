package org.vmxsim.core.machine;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.vmxsim.core.access.CycleAccess;
import org.vmxsim.core.access.FunctionalAccess;
import org.vmxsim.core.boot.BootModule;
import org.vmxsim.core.boot.GuestRam;
import org.vmxsim.core.boot.MultibootImage;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.StopReason;
import org.vmxsim.core.insn.CodeCache;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.core.memory.PortBus;
import org.vmxsim.core.model.CpuModel;
import org.vmxsim.core.platform.DebugExit;
import org.vmxsim.core.platform.Uart16550;
import org.vmxsim.core.segment.InterruptGates;
import org.vmxsim.core.system.SystemInstructions;
import org.vmxsim.core.time.CycleModel;
import org.vmxsim.core.time.TimingPreset;

/** Memory, one processor without VMX, COM1 and the debug exit: what a bare-metal program needs. For tests. */
public final class BareMachine {
    public final PhysicalMemory memory;
    public final PortBus ports = new PortBus();
    public final Processor cpu;
    public final DebugExit exit;
    private final ByteArrayOutputStream console = new ByteArrayOutputStream();

    public BareMachine(long ramBytes, CpuModel model) {
        this(PhysicalMemory.flat(ramBytes), model);
    }

    public BareMachine(PhysicalMemory memory, CpuModel model) {
        this.memory = memory;
        cpu = new Processor(memory, ports, model);
        cpu.events(new InterruptGates(cpu));
        cpu.instructions(new CodeCache(cpu, memory, SystemInstructions::handler));
        cpu.mem.slow(new FunctionalAccess(cpu));
        exit = new DebugExit(() -> cpu.stop(StopReason.REQUESTED));
        ports.attach(DebugExit.PORT, DebugExit.PORTS, exit);
        ports.attach(Uart16550.COM1, Uart16550.PORTS, new Uart16550(console::write));
    }

    /** Switches to the cycle engine. */
    public void useCycleEngine(TimingPreset preset) {
        cpu.cycles = new CycleModel(preset);
        cpu.tables.charge(cpu.cycles);
        cpu.translations.structures(cpu.cycles.structures());
        ((CodeCache) cpu.instructions()).rememberEntries(false);
        cpu.mem.slow(new CycleAccess(cpu));
        cpu.modeChanged();
    }

    public MultibootImage boot(byte[] image, String commandLine) {
        MultibootImage parsed = MultibootImage.parse(image);
        parsed.load(new GuestRam(memory), commandLine, List.<BootModule>of()).apply(cpu);
        cpu.modeChanged();
        return parsed;
    }

    public String console() {
        return console.toString(StandardCharsets.ISO_8859_1);
    }
}
