package org.vmxsim.lab.gdb;

import java.util.ArrayList;
import java.util.List;
import java.util.function.LongPredicate;
import java.util.function.LongSupplier;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.SegmentRegister;
import org.vmxsim.core.segment.Descriptors;

/**
 * The registers of one processor, numbered as the target description names them: those that GDB's feature
 * {@code org.gnu.gdb.i386.core} asks for in its order, the bases of FS and GS, and control registers.
 */
final class RegisterFile {
    private static final String[] GENERAL = {
        "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"
    };
    /** GDB's order of the general registers, in the numbers of the manual. */
    private static final int[] GENERAL_NUMBERS = {0, 3, 1, 2, 6, 7, 5, 4, 8, 9, 10, 11, 12, 13, 14, 15};

    private static final String[] SEGMENTS = {"cs", "ss", "ds", "es", "fs", "gs"};
    private static final int[] SEGMENT_NUMBERS = {
        CpuState.CS, CpuState.SS, CpuState.DS, CpuState.ES, CpuState.FS, CpuState.GS
    };
    private static final String[] FLOAT_CONTROLS = {"fctrl", "fstat", "ftag", "fiseg", "fioff", "foseg", "fooff", "fop"
    };
    private static final int FLOATS = 8;
    private static final int NULL_ACCESS = SegmentRegister.UNUSABLE;
    private static final long VIRTUAL_8086 = 1 << 17;
    private static final long WRITABLE_FLAGS = 0x3f_7fd5;
    private static final long REAL_LIMIT = 0xffff;

    /** A register: what it is called, how it is read and written; {@code read} is null for one that is not there. */
    private record Register(String name, int bits, String type, LongSupplier read, LongPredicate write) {
        int sizeBytes() {
            return bits / 8;
        }
    }

    private final Processor cpu;
    private final LinearView memory;
    private final ControlWrites control;
    private final List<Register> core = new ArrayList<>();
    private final List<Register> segments = new ArrayList<>();
    private final List<Register> system = new ArrayList<>();
    private final List<Register> all = new ArrayList<>();

    RegisterFile(Processor cpu, LinearView memory) {
        this.cpu = cpu;
        this.memory = memory;
        control = new ControlWrites(cpu, memory);
        for (int i = 0; i < GENERAL.length; i++) {
            int number = GENERAL_NUMBERS[i];
            String type = number == CpuState.RSP || number == CpuState.RBP ? "data_ptr" : "int64";
            add(core, GENERAL[i], 64, type, () -> cpu.gpr[number], value -> general(number, value));
        }
        add(core, "rip", 64, "code_ptr", () -> cpu.rip, this::instructionPointer);
        add(core, "eflags", 32, "i386_eflags", cpu::rflags, this::flags);
        for (int i = 0; i < SEGMENTS.length; i++) {
            int number = SEGMENT_NUMBERS[i];
            add(core, SEGMENTS[i], 32, "int32", () -> cpu.segments[number].selector, value -> segment(number, value));
        }
        for (int i = 0; i < FLOATS; i++) {
            add(core, "st" + i, 80, "i387_ext", null, null);
        }
        for (String name : FLOAT_CONTROLS) {
            add(core, name, 32, "int", null, null);
        }
        addBase("fs_base", CpuState.FS);
        addBase("gs_base", CpuState.GS);
        add(system, "k_gs_base", 64, "int64", () -> cpu.kernelGsBase, control::kernelGsBase);
        add(system, "cr0", 64, "int64", () -> cpu.cr0, control::cr0);
        add(system, "cr2", 64, "int64", () -> cpu.cr2, control::cr2);
        add(system, "cr3", 64, "int64", () -> cpu.cr3, control::cr3);
        add(system, "cr4", 64, "int64", () -> cpu.cr4, control::cr4);
        add(system, "cr8", 64, "int64", () -> cpu.cr8, control::cr8);
        add(system, "efer", 64, "int64", () -> cpu.efer, control::efer);
    }

    private void add(
            List<Register> feature, String name, int bits, String type, LongSupplier read, LongPredicate write) {
        Register register = new Register(name, bits, type, read, write);
        feature.add(register);
        all.add(register);
    }

    private void addBase(String name, int number) {
        add(segments, name, 64, "int64", () -> cpu.segments[number].base, value -> {
            cpu.segments[number].base = value;
            cpu.modeChanged();
            return true;
        });
    }

    private boolean general(int number, long value) {
        cpu.gpr[number] = value;
        return true;
    }

    private boolean instructionPointer(long value) {
        cpu.rip = value;
        return true;
    }

    /** Virtual-8086 mode is entered and left by IRET and events, which change segments and privilege with it. */
    private boolean flags(long value) {
        if (((value ^ cpu.rflagsSystem) & VIRTUAL_8086) != 0) {
            return false;
        }
        cpu.rflags(value & WRITABLE_FLAGS);
        cpu.modeChanged();
        return true;
    }

    /** Loads a segment register as an instruction would, without its checks of privilege. */
    private boolean segment(int number, long value) {
        int selector = (int) value & 0xffff;
        SegmentRegister register = cpu.segments[number];
        if (selector == register.selector) {
            return true;
        }
        if ((cpu.cr0 & 1) == 0 || (cpu.rflagsSystem & VIRTUAL_8086) != 0) {
            register.selector = selector;
            register.base = (long) selector << 4;
            cpu.modeChanged();
            return true;
        }
        if ((selector & ~3) == 0) {
            boolean allowed = number != CpuState.CS && number != CpuState.SS;
            if (allowed) {
                register.set(selector, 0, 0, NULL_ACCESS);
            }
            return allowed;
        }
        return descriptor(register, number, selector);
    }

    private boolean descriptor(SegmentRegister register, int number, int selector) {
        SegmentRegister local = cpu.segments[CpuState.LDTR];
        boolean inLocal = (selector & 4) != 0;
        long table = inLocal ? local.base : cpu.gdtrBase;
        long limit = inLocal ? local.unusable() ? 0 : local.limit & 0xffff_ffffL : cpu.gdtrLimit;
        byte[] bytes = memory.read(table + (selector & ~7), 8);
        if (bytes.length < 8 || (selector | 7) > Math.min(limit, REAL_LIMIT)) {
            return false;
        }
        long descriptor = Hex.littleEndian(bytes);
        boolean segment = (Descriptors.type(descriptor) & 0x10) != 0 && Descriptors.isPresent(descriptor);
        if (!segment || Descriptors.isCode(descriptor) != (number == CpuState.CS)) {
            return false;
        }
        register.set(
                selector,
                Descriptors.base(descriptor),
                Descriptors.limit(descriptor),
                Descriptors.accessRights(descriptor) | 1);
        cpu.modeChanged();
        return true;
    }

    /** How many registers there are. */
    int count() {
        return all.size();
    }

    /** A register as packets show it: little-endian, or x for each digit of one that is not there. */
    String show(int number) {
        Register register = all.get(number);
        if (register.read == null) {
            return "xx".repeat(register.sizeBytes());
        }
        return Hex.littleEndian(register.read.getAsLong(), register.sizeBytes());
    }

    /** All registers. */
    String show() {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < count(); i++) {
            text.append(show(i));
        }
        return text.toString();
    }

    /** Sets a register from its bytes; false if it cannot have this value. */
    boolean set(int number, byte[] bytes) {
        Register register = all.get(number);
        return bytes.length == register.sizeBytes()
                && register.write != null
                && register.write.test(Hex.littleEndian(bytes));
    }

    /** Sets all registers that are there, in order; false if one of them cannot have its value. */
    boolean setAll(byte[] bytes) {
        boolean done = true;
        int at = 0;
        for (int i = 0; i < count() && at + all.get(i).sizeBytes() <= bytes.length; i++) {
            byte[] own = java.util.Arrays.copyOfRange(bytes, at, at + all.get(i).sizeBytes());
            done &= all.get(i).write == null || set(i, own);
            at += own.length;
        }
        return done;
    }

    /** The target description. */
    String description() {
        StringBuilder xml = new StringBuilder("<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n");
        xml.append("<target>\n<architecture>i386:x86-64</architecture>\n");
        xml.append("<feature name=\"org.gnu.gdb.i386.core\">\n<flags id=\"i386_eflags\" size=\"4\">\n");
        String[] flags = {"CF", "", "PF", "", "AF", "", "ZF", "SF", "TF", "IF", "DF", "OF"};
        for (int i = 0; i < flags.length; i++) {
            if (!flags[i].isEmpty()) {
                xml.append("<field name=\"" + flags[i] + "\" start=\"" + i + "\" end=\"" + i + "\"/>\n");
            }
        }
        xml.append("</flags>\n");
        append(xml, core);
        xml.append("</feature>\n<feature name=\"org.gnu.gdb.i386.segments\">\n");
        append(xml, segments);
        xml.append("</feature>\n<feature name=\"org.vmxsim.system\">\n");
        append(xml, system);
        return xml.append("</feature>\n</target>\n").toString();
    }

    private static void append(StringBuilder xml, List<Register> registers) {
        for (Register register : registers) {
            String group = register.type.equals("int") ? " group=\"float\"" : "";
            xml.append("<reg name=\"" + register.name + "\" bitsize=\"" + register.bits + "\" type=\"" + register.type
                    + "\"" + group + "/>\n");
        }
    }
}
