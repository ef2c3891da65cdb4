package org.vmxsim.core.segment;

import static org.vmxsim.core.cpu.Event.GENERAL_PROTECTION;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.SegmentRegister;

/**
 * Segment and system descriptors as they lie in the descriptor tables, and their way into segment registers. SDM
 * "Segment Descriptors", "System Descriptor Types", "Segment Descriptor Tables in IA-32e Mode".
 *
 * <p>Methods that read tables leave a fault in {@code cpu.pending}.
 */
public final class Descriptors {
    /** Vector of the invalid-TSS exception. */
    public static final int INVALID_TSS = 10;
    /** Vector of the segment-not-present exception. */
    public static final int NOT_PRESENT = 11;

    /** System descriptor type: LDT. */
    public static final int LDT = 2;
    /** System descriptor type: available 16-bit TSS. */
    public static final int TSS16_AVAILABLE = 1;
    /** System descriptor type: 16-bit call gate. */
    public static final int CALL_GATE_16 = 4;
    /** System descriptor type: task gate. */
    public static final int TASK_GATE = 5;
    /** System descriptor type: available 32-bit or 64-bit TSS. */
    public static final int TSS_AVAILABLE = 9;
    /** System descriptor type: busy 32-bit or 64-bit TSS. */
    public static final int TSS_BUSY = 11;
    /** System descriptor type: 32-bit or 64-bit call gate. */
    public static final int CALL_GATE = 12;

    private static final long ACCESSED = 1L << 40;

    private Descriptors() {}

    /**
     * Access rights in the VMCS format.
     *
     * @param descriptor the 8 bytes of a descriptor
     * @return type, S, DPL, P, AVL, L, D/B, G
     */
    public static int accessRights(long descriptor) {
        return (int) (descriptor >>> 40) & 0xf0ff;
    }

    /**
     * Base address, bits 31:0.
     *
     * @param descriptor the 8 bytes of a descriptor
     * @return the base
     */
    public static long base(long descriptor) {
        return descriptor >>> 16 & 0xff_ffff | descriptor >>> 32 & 0xff00_0000L;
    }

    /**
     * Limit in bytes, granularity applied.
     *
     * @param descriptor the 8 bytes of a descriptor
     * @return the limit as an unsigned 32-bit number
     */
    public static int limit(long descriptor) {
        int raw = (int) (descriptor & 0xffff | descriptor >>> 32 & 0xf_0000);
        return (descriptor >>> 55 & 1) != 0 ? raw << 12 | 0xfff : raw;
    }

    /**
     * Type field and S flag.
     *
     * @param descriptor the 8 bytes of a descriptor
     * @return bits 3:0 type, bit 4 S
     */
    public static int type(long descriptor) {
        return (int) (descriptor >>> 40) & 0x1f;
    }

    /**
     * Descriptor privilege level.
     *
     * @param descriptor the 8 bytes of a descriptor
     * @return 0 to 3
     */
    public static int dpl(long descriptor) {
        return (int) (descriptor >>> 45) & 3;
    }

    /**
     * The P flag.
     *
     * @param descriptor the 8 bytes of a descriptor
     * @return true if present
     */
    public static boolean isPresent(long descriptor) {
        return (descriptor >>> 47 & 1) != 0;
    }

    /**
     * Whether a descriptor is of a code segment.
     *
     * @param descriptor the 8 bytes of a descriptor
     * @return true for S = 1 and type bit 3 = 1
     */
    public static boolean isCode(long descriptor) {
        return (type(descriptor) & 0x18) == 0x18;
    }

    /**
     * Whether a code segment is conforming.
     *
     * @param descriptor the 8 bytes of a code-segment descriptor
     * @return true for type bit 2 = 1
     */
    public static boolean isConforming(long descriptor) {
        return (type(descriptor) & 4) != 0;
    }

    /**
     * Whether a descriptor is of a data segment that may be written.
     *
     * @param descriptor the 8 bytes of a descriptor
     * @return true for S = 1, type bit 3 = 0, type bit 1 = 1
     */
    public static boolean isWritableData(long descriptor) {
        return (type(descriptor) & 0x1a) == 0x12;
    }

    /**
     * Whether a selector is null.
     *
     * @param selector the selector
     * @return true for index 0 of the GDT, any RPL
     */
    public static boolean isNull(int selector) {
        return (selector & 0xfffc) == 0;
    }

    /**
     * Linear address of the descriptor that a selector names, if its table holds it.
     *
     * @param cpu the processor
     * @param selector the selector, not null
     * @param sizeBytes 8, or 16 for the system descriptors of IA-32e mode
     * @return the address, or -1 if it lies outside the table's limit
     */
    public static long address(Processor cpu, int selector, int sizeBytes) {
        int offset = selector & 0xfff8;
        SegmentRegister ldt = cpu.segments[CpuState.LDTR];
        boolean local = (selector & 4) != 0;
        long limit = local ? ldt.limit & 0xffff_ffffL : cpu.gdtrLimit & 0xffffL;
        if (local && ldt.unusable() || offset + sizeBytes - 1 > limit) {
            return -1;
        }
        return (local ? ldt.base : cpu.gdtrBase) + offset;
    }

    /**
     * Reads the descriptor that a selector names.
     *
     * @param cpu the processor
     * @param selector the selector, not null
     * @param vector exception if the selector is outside its table: #GP or #TS
     * @param ext bit 0 of the error code
     * @return the descriptor; meaningless if something is pending
     */
    public static long read(Processor cpu, int selector, int vector, int ext) {
        long address = address(cpu, selector, 8);
        if (address == -1) {
            cpu.raise(vector, selector & 0xfffc | ext);
            return 0;
        }
        return cpu.mem.slow().loadSystem(address, 8);
    }

    /**
     * Reads the descriptor that a selector names; outside its table gives #GP(selector).
     *
     * @param cpu the processor
     * @param selector the selector, not null
     * @return the descriptor; meaningless if something is pending
     */
    public static long read(Processor cpu, int selector) {
        return read(cpu, selector, GENERAL_PROTECTION, 0);
    }

    /**
     * Sets the accessed flag in memory, if it is not set.
     *
     * @param cpu the processor
     * @param selector the selector of a code or data segment
     * @param descriptor its descriptor
     * @return the descriptor with the flag; meaningless if something is pending
     */
    public static long markAccessed(Processor cpu, int selector, long descriptor) {
        if ((descriptor & ACCESSED) == 0) {
            cpu.mem.slow().storeSystem(address(cpu, selector, 8) + 4, 4, (descriptor | ACCESSED) >>> 32);
        }
        return descriptor | ACCESSED;
    }

    /**
     * Puts a descriptor into a segment register.
     *
     * @param register the register
     * @param selector the selector
     * @param descriptor the descriptor of a code or data segment
     */
    public static void fill(SegmentRegister register, int selector, long descriptor) {
        register.set(selector & 0xffff, base(descriptor), limit(descriptor), accessRights(descriptor));
    }

    /**
     * Whether the processor is in IA-32e mode.
     *
     * @param cpu the processor
     * @return EFER.LMA
     */
    public static boolean inLongMode(CpuState cpu) {
        return (cpu.efer >>> 10 & 1) != 0;
    }

    /**
     * Whether the processor is in real-address mode.
     *
     * @param cpu the processor
     * @return CR0.PE = 0
     */
    public static boolean inRealMode(CpuState cpu) {
        return (cpu.cr0 & 1) == 0;
    }

    /**
     * Whether the processor is in virtual-8086 mode.
     *
     * @param cpu the processor
     * @return RFLAGS.VM
     */
    public static boolean inVirtual8086(CpuState cpu) {
        return (cpu.rflagsSystem & 1 << 17) != 0;
    }

    /**
     * Whether selectors name paragraphs of memory instead of descriptors.
     *
     * @param cpu the processor
     * @return true in real-address mode and virtual-8086 mode
     */
    public static boolean usesRealSegments(CpuState cpu) {
        return inRealMode(cpu) || inVirtual8086(cpu);
    }
}
