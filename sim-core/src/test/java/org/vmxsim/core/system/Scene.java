package org.vmxsim.core.system;

import java.util.HexFormat;
import java.util.function.UnaryOperator;
import org.vmxsim.core.access.FunctionalAccess;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Event;
import org.vmxsim.core.cpu.Handler;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.Virtualization;
import org.vmxsim.core.decode.DecodedInstruction;
import org.vmxsim.core.decode.Decoder;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.core.memory.PortBus;
import org.vmxsim.core.model.CpuModel;
import org.vmxsim.core.segment.InterruptGates;

/**
 * A processor with a GDT, a TSS and an identity map of the first GiB, in 64-bit, 32-bit or real-address mode at any
 * privilege level. {@link #run} executes one instruction and says how it ended; nothing is delivered.
 */
final class Scene {
    static final long GDT = 0x1000;
    static final long TSS = 0x2000;
    static final long DATA = 0x3000;
    static final long STACK = 0x7000;
    static final long CODE = 0x8000;
    static final long PAGE_TABLES = 0x1_0000;
    /** A page that is not present. */
    static final long HOLE = 0x4000_0000L;

    static final int CODE_0 = 0x08;
    static final int DATA_0 = 0x10;
    static final int DATA_3 = 0x20;
    static final int CODE_3 = 0x28;
    static final int TASK = 0x30;
    static final int LOCAL = 0x40;
    static final int ABSENT_DATA = 0x50;
    static final int READ_ONLY = 0x58;
    static final int EXECUTE_ONLY = 0x60;
    static final int GDT_LIMIT = 0x67;

    final PhysicalMemory memory = PhysicalMemory.sparse(1 << 20);
    final PortBus ports = new PortBus();
    final Processor cpu;
    final RecordingVirtualization vmx = new RecordingVirtualization();

    private final Decoder decoder = new Decoder();
    private final DecodedInstruction decoded = new DecodedInstruction();
    private final int codeBits;

    private Scene(int codeBits, CpuModel model) {
        this.codeBits = codeBits;
        cpu = new Processor(memory, ports, model);
        cpu.mem.slow(new FunctionalAccess(cpu));
        cpu.events(new InterruptGates(cpu));
        descriptors();
        memory.writeLong(PAGE_TABLES, PAGE_TABLES + 0x1000 | 7);
        memory.writeLong(PAGE_TABLES + 0x1000, 0x87);
        cpu.gdtrBase = GDT;
        cpu.gdtrLimit = GDT_LIMIT;
        cpu.gpr[CpuState.RSP] = STACK;
        cpu.segments[CpuState.TR].set(TASK, TSS, 0x67, 0x8b);
        cpu.segments[CpuState.LDTR].set(0, 0, 0, 1 << 16);
    }

    private void descriptors() {
        descriptor(CODE_0, codeBits == 64 ? 0x00af_9b00_0000_ffffL : 0x00cf_9b00_0000_ffffL);
        descriptor(DATA_0, 0x00cf_9300_0000_ffffL);
        descriptor(DATA_3, 0x00cf_f300_0000_ffffL);
        descriptor(CODE_3, codeBits == 64 ? 0x00af_fb00_0000_ffffL : 0x00cf_fb00_0000_ffffL);
        descriptor(TASK, 0x0000_8900_2000_0067L);
        descriptor(LOCAL, 0x0000_8200_3000_0fffL);
        descriptor(ABSENT_DATA, 0x00cf_1300_0000_ffffL);
        descriptor(READ_ONLY, 0x00cf_9100_0000_ffffL);
        descriptor(EXECUTE_ONLY, 0x00cf_9900_0000_ffffL);
    }

    void descriptor(int selector, long descriptor) {
        memory.writeLong(GDT + selector, descriptor);
    }

    /** 64-bit mode at CPL 0 on the model with everything. */
    static Scene of64() {
        return of64(CpuModel.MAX);
    }

    static Scene of64(CpuModel model) {
        Scene scene = new Scene(64, model);
        scene.cpu.cr4 = 0x20;
        scene.cpu.cr3 = PAGE_TABLES;
        scene.cpu.efer = 0xd01;
        scene.cpu.cr0 = 0x8000_0031L;
        return scene.level(0);
    }

    /** 32-bit protected mode without paging at CPL 0. */
    static Scene of32() {
        Scene scene = new Scene(32, CpuModel.MAX);
        scene.cpu.cr0 = 0x31;
        return scene.level(0);
    }

    /** Real-address mode. */
    static Scene ofReal() {
        Scene scene = new Scene(16, CpuModel.MAX);
        scene.cpu.cr0 = 0x30;
        for (int i = CpuState.ES; i <= CpuState.GS; i++) {
            scene.cpu.segments[i].set(0, 0, 0xffff, i == CpuState.CS ? 0x9b : 0x93);
        }
        scene.cpu.modeChanged();
        return scene;
    }

    /** The same at another privilege level. */
    Scene level(int cpl) {
        int dpl = cpl << 5;
        for (int i = CpuState.ES; i <= CpuState.GS; i++) {
            cpu.segments[i].set((cpl == 3 ? DATA_3 : DATA_0) | cpl, 0, -1, 0xc093 | dpl);
        }
        cpu.segments[CpuState.CS].set(
                (cpl == 3 ? CODE_3 : CODE_0) | cpl, 0, -1, (codeBits == 64 ? 0xa09b : 0xc09b) | dpl);
        cpu.cpl = cpl;
        cpu.modeChanged();
        return this;
    }

    /** The same with a change. */
    Scene with(UnaryOperator<Processor> change) {
        change.apply(cpu);
        cpu.modeChanged();
        return this;
    }

    /** The same in non-root operation. */
    Scene inGuest() {
        cpu.virtualization(vmx);
        return this;
    }

    Scene outOfVmx() {
        cpu.virtualization(Virtualization.NONE);
        return this;
    }

    void r(int register, long value) {
        cpu.gpr[register] = value;
    }

    long r(int register) {
        return cpu.gpr[register];
    }

    void edxEax(long value) {
        cpu.gpr[CpuState.RAX] = value & 0xffff_ffffL;
        cpu.gpr[CpuState.RDX] = value >>> 32;
    }

    long edxEax() {
        return cpu.gpr[CpuState.RDX] << 32 | cpu.gpr[CpuState.RAX] & 0xffff_ffffL;
    }

    /**
     * Executes one instruction.
     *
     * @param hex its bytes
     * @return "ok", "#13(0)" (vector and error code), "#6" or "exit IO"
     */
    String run(String hex) {
        byte[] bytes = HexFormat.of().parseHex(hex.replace(" ", ""));
        if (!decoder.decode(bytes, bytes.length, codeBits, decoded) || decoded.length != bytes.length) {
            throw new AssertionError("not one instruction: " + hex);
        }
        Handler handler = SystemInstructions.handler(decoded);
        if (handler == null) {
            return "#6";
        }
        handler.length = decoded.length;
        handler.pageOffset = 0;
        cpu.codeBase = CODE;
        cpu.rip = CODE;
        cpu.pending = Processor.NOTHING;
        vmx.point = null;
        Handler next = handler.exec(cpu);
        String outcome = outcome();
        if (!outcome.equals("ok") && (cpu.rip != CODE || next != null)) {
            throw new AssertionError(outcome + " but RIP=" + Long.toHexString(cpu.rip));
        }
        cpu.pending = Processor.NOTHING;
        return next == handler ? "again" : outcome;
    }

    private String outcome() {
        Event event = cpu.events().requested();
        return switch (cpu.pending) {
            case Processor.NOTHING -> "ok";
            case Processor.VM_EXIT -> "exit " + vmx.point;
            default ->
                "#" + event.vector + (event.hasErrorCode ? "(" + Integer.toHexString(event.errorCode) + ")" : "");
        };
    }
}
