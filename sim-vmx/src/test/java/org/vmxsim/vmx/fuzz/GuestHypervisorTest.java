package org.vmxsim.vmx.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.vmx.Engine;
import org.vmxsim.vmx.MachineConfig;
import org.vmxsim.vmx.vmcs.HostField;
import org.vmxsim.vmx.vmcs.Vmcs;
import org.vmxsim.vmx.vmcs.VmcsField;

@DisplayName(
        "whatever a hypervisor inside the machine does with VMX instructions: no Java exception, and every run ends")
class GuestHypervisorTest {
    private static final int CASES = Integer.getInteger("vmxsim.cases", 10_000);
    private static final long FIRST_SEED = Long.getLong("vmxsim.seed", 1);
    private static final int CODE = 0x3_8000;
    private static final int EXIT_HANDLER = CODE + 0x400;
    private static final int OPERANDS = 0x3_c000;
    private static final int TABLES = 0x3_d000;
    private static final int BUDGET = 60;
    /** The VMX instructions, with memory operands at [RBX]. */
    private static final int[][] INSTRUCTIONS = {
        {0x0f, 0x01, 0xc2},
        {0x0f, 0x01, 0xc2},
        {0x0f, 0x01, 0xc3},
        {0x0f, 0x01, 0xc1},
        {0x0f, 0x01, 0xc4},
        {0x0f, 0xc7, 0x33},
        {0x0f, 0xc7, 0x7b, 0x40},
        {0x66, 0x0f, 0xc7, 0x33},
        {0xf3, 0x0f, 0xc7, 0x33},
        {0x0f, 0x78, 0xc8},
        {0x0f, 0x78, 0x43, 0x40},
        {0x0f, 0x79, 0xc8},
        {0x0f, 0x79, 0x0b},
        {0x66, 0x0f, 0x38, 0x80, 0x4b, 0x20},
        {0x66, 0x0f, 0x38, 0x81, 0x4b, 0x20},
        {0x0f, 0xa2}
    };

    private final List<MachineConfig> configs = List.of(
            MachineConfig.DEFAULT.withCpu(Rig.MODEL),
            MachineConfig.DEFAULT.withCpu(Rig.MODEL).withEngine(Engine.CYCLE));
    private final GuestRig[] rigs = new GuestRig[configs.size()];
    private int exits;
    private int entered;

    @Test
    void doesNotHarmTheHost() {
        for (int i = 0; i < CASES; i++) {
            SplittableRandom random = new SplittableRandom(FIRST_SEED + i);
            try {
                once(i % rigs.length, random);
            } catch (RuntimeException | Error e) {
                throw new AssertionError("seed " + (FIRST_SEED + i), e);
            }
        }
        assertThat(entered).as("guests entered and not left").isGreaterThan(CASES / 50);
        assertThat(exits).as("exits to the hypervisor inside").isGreaterThan(CASES / 50);
    }

    private void once(int number, SplittableRandom random) {
        if (rigs[number] == null) {
            rigs[number] = new GuestRig(configs.get(number));
        }
        GuestRig rig = rigs[number];
        if (rig.vmx.inVmxOperation()) {
            rig.vmx.vmxoff();
        }
        rig.machine.memory().writeInt(GuestRig.VMXON, Vmcs.REVISION);
        rig.vmx.vmxon(GuestRig.VMXON);
        if (random.nextInt(16) == 0 || rig.cpu.retired == 0) {
            rig.load(GuestImage.of(random), random, GuestImage.CODE);
        }
        rig.reset();
        new Modes(rig.cpu).set(random.nextInt(Modes.COUNT), random.nextBoolean());
        rig.cpu.gpr[CpuState.RSP] = GuestImage.DATA;
        rig.cpu.rip = GuestImage.CODE;
        rig.arm(random);
        hostState(rig);
        spoil(rig, random);
        rig.vmx.vmclear(GuestRig.VMCS);
        hypervisor(rig, random);
        rig.cpu.run(BUDGET);
        exits += rig.cpu.rip >= EXIT_HANDLER && rig.cpu.rip < EXIT_HANDLER + 0x400 ? 1 : 0;
        if (rig.vmx.inNonRoot()) {
            entered++;
            rigs[number] = null;
        }
    }

    /** The hypervisor's mode: 64-bit, flat, with its exit handler. */
    private static void hostState(GuestRig rig) {
        rig.vmx.vmwrite(HostField.CR0, 0x8000_0031L);
        rig.vmx.vmwrite(HostField.CR3, TABLES);
        rig.vmx.vmwrite(HostField.CR4, 0x2020);
        rig.vmx.vmwrite(HostField.CS_SELECTOR, GuestImage.CODE_0);
        rig.vmx.vmwrite(HostField.SS_SELECTOR, GuestImage.DATA_0);
        rig.vmx.vmwrite(HostField.TR_SELECTOR, GuestImage.TASK);
        rig.vmx.vmwrite(HostField.GDTR_BASE, GuestRig.BASE + GuestImage.GDT);
        rig.vmx.vmwrite(HostField.RSP, OPERANDS + 0xff0);
        rig.vmx.vmwrite(HostField.RIP, EXIT_HANDLER);
    }

    private static void spoil(GuestRig rig, SplittableRandom random) {
        for (int i = random.nextInt(8) - 5; i > 0; i--) {
            VmcsField field = VmcsField.all().get(random.nextInt(VmcsField.all().size()));
            if (field.requirement().metBy(rig.vmx.capabilities()) && !field.readOnly()) {
                rig.vmx.vmwrite(field, rig.vmx.vmread(field) ^ 1L << random.nextInt(64));
            }
        }
    }

    /** Its tables map 1 GiB; its code loads the VMCS, executes VMX instructions, and does so after each exit. */
    private static void hypervisor(GuestRig rig, SplittableRandom random) {
        PhysicalMemory memory = rig.machine.memory();
        memory.writeLong(TABLES, TABLES + 0x1000 | 7);
        memory.writeLong(TABLES + 0x1000, 0x87);
        long[] operands = {
            GuestRig.VMCS, random.nextInt(0x8000), 0, 0, random.nextInt(4), random.nextInt(0x1000), 0, 0, 0
        };
        for (int i = 0; i < operands.length; i++) {
            memory.writeLong(OPERANDS + i * 8, operands[i]);
        }
        memory.load(CODE, instructions(random, new CodeBytes().put(0x0f, 0xc7, 0x33)));
        memory.load(EXIT_HANDLER, instructions(random, new CodeBytes()));
        new Modes(rig.cpu).longMode(false);
        rig.cpu.cr0 = 0x8000_0031L;
        rig.cpu.cr4 = 0x2020;
        rig.cpu.cr3 = TABLES;
        rig.cpu.featureControl = 5;
        rig.cpu.gpr[CpuState.RBX] = OPERANDS;
        rig.cpu.gpr[CpuState.RCX] = 1 + random.nextInt(2);
        rig.cpu.gpr[CpuState.RAX] = random.nextInt(0x7000);
        rig.cpu.gdtrBase = GuestRig.BASE + GuestImage.GDT;
        rig.cpu.idtrBase = 0;
        rig.cpu.idtrLimit = 0;
        rig.cpu.rip = CODE;
        rig.cpu.modeChanged();
    }

    private static byte[] instructions(SplittableRandom random, CodeBytes code) {
        if (random.nextBoolean()) {
            code.put(0x0f, 0x01, random.nextBoolean() ? 0xc2 : 0xc3); // VMLAUNCH, VMRESUME
        }
        for (int i = 0; i < 12; i++) {
            if (random.nextInt(3) == 0) { // mov eax, field or number
                VmcsField field =
                        VmcsField.all().get(random.nextInt(VmcsField.all().size()));
                code.put(0xb8).imm32(random.nextBoolean() ? field.encoding() : random.nextInt());
            }
            code.put(INSTRUCTIONS[random.nextInt(INSTRUCTIONS.length)]);
        }
        return code.put(0xeb, 0xfe).toArray();
    }
}
