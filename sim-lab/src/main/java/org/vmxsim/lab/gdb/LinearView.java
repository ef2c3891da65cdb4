package org.vmxsim.lab.gdb;

import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.core.model.CpuFeature;
import org.vmxsim.core.paging.PagingControls;
import org.vmxsim.core.paging.PagingEntry;

/**
 * RAM by linear address as a processor's tables map it now, without rights, flags, caches or devices: looking changes
 * nothing. In VMX non-root operation guest-physical addresses go through the EPT tables.
 */
final class LinearView {
    /** Answer of translations: not mapped, or not RAM. */
    static final long NOWHERE = -1;

    private static final long ADDRESS = 0x000f_ffff_ffff_f000L;
    private static final int EPT_PRESENT = 7;
    private static final int PAGE_BYTES = 0x1000;

    private final Processor cpu;
    private final PhysicalMemory memory;
    private final PagingControls controls;

    LinearView(Processor cpu) {
        this.cpu = cpu;
        memory = cpu.tables.memory();
        controls = new PagingControls(cpu.model.physicalAddressBits(), cpu.model.has(CpuFeature.PAGE_1G));
    }

    /** Host-physical address of a byte of RAM, or {@link #NOWHERE}. */
    long hpa(long linear) {
        controls.set(cpu.cr0, cpu.cr3, cpu.cr4, cpu.efer, cpu.pdpte);
        long gpa = gpa((cpu.efer >>> 10 & 1) != 0 ? linear : linear & 0xffff_ffffL);
        return gpa == NOWHERE ? NOWHERE : throughEpt(gpa);
    }

    private long gpa(long linear) {
        int level = controls.rootLevel;
        if (level == 0) {
            return linear;
        }
        if (level >= 4 && linear << 64 - shiftOfCanonical(level) >> 64 - shiftOfCanonical(level) != linear) {
            return NOWHERE;
        }
        long table = controls.root;
        if (level == 3) {
            long pdpte = cpu.pdpte[(int) (linear >>> 30) & 3];
            if ((pdpte & PagingEntry.PRESENT) == 0) {
                return NOWHERE;
            }
            table = pdpte & ADDRESS;
            level = 2;
        }
        for (; ; level--) {
            long entry = entry(table, level, linear);
            if ((entry & PagingEntry.PRESENT) == 0) {
                return NOWHERE;
            }
            if (PagingEntry.mapsPage(entry, level, controls)) {
                return PagingEntry.physical(entry, PagingEntry.pageShift(level, controls), linear);
            }
            table = PagingEntry.table(entry, controls);
        }
    }

    private static int shiftOfCanonical(int level) {
        return level == 5 ? 57 : 48;
    }

    /** An entry of the guest's tables; 0, which is not present, if it is not in RAM. */
    private long entry(long table, int level, long linear) {
        boolean wide = controls.entryBytes == 8;
        long offset = wide ? linear >>> 9 * level & 0xff8 : linear >>> 10 * level & 0xffc;
        long hpa = throughEpt(table + offset);
        if (hpa == NOWHERE) {
            return 0;
        }
        return wide ? memory.readLong(hpa) : memory.readInt(hpa) & 0xffff_ffffL;
    }

    private long throughEpt(long gpa) {
        long root = cpu.virtualization().ep4ta();
        long hpa = root == -1 ? gpa : eptWalk(root & ADDRESS, gpa);
        return hpa != NOWHERE && memory.isRam(hpa) ? hpa : NOWHERE;
    }

    private long eptWalk(long root, long gpa) {
        if (gpa >>> 48 != 0) {
            return NOWHERE;
        }
        long table = root;
        for (int level = 4; ; level--) {
            long at = table + (gpa >>> 9 * level & 0xff8);
            long entry = memory.isRam(at) ? memory.readLong(at) : 0;
            if ((entry & EPT_PRESENT) == 0) {
                return NOWHERE;
            }
            if (level == 1 || level < 4 && (entry & PagingEntry.PAGE_SIZE) != 0) {
                long offset = (1L << 3 + 9 * level) - 1;
                return entry & ADDRESS & ~offset | gpa & offset;
            }
            table = entry & ADDRESS;
        }
    }

    /** 8 bytes at a guest-physical address, 0 if they are not RAM. */
    long physicalLong(long gpa) {
        long hpa = throughEpt(gpa);
        return hpa == NOWHERE ? 0 : memory.readLong(hpa);
    }

    /** Bytes, as many as are there from the address on, at most so many. */
    byte[] read(long linear, int count) {
        byte[] bytes = new byte[count];
        long hpa = NOWHERE;
        for (int i = 0; i < count; i++) {
            hpa = next(hpa, linear + i);
            if (hpa == NOWHERE) {
                return java.util.Arrays.copyOf(bytes, i);
            }
            bytes[i] = (byte) memory.readByte(hpa);
        }
        return bytes;
    }

    /** Stores all bytes, or none if some are not RAM. */
    boolean write(long linear, byte[] bytes) {
        long[] places = new long[bytes.length];
        long hpa = NOWHERE;
        for (int i = 0; i < bytes.length; i++) {
            hpa = next(hpa, linear + i);
            if (hpa == NOWHERE) {
                return false;
            }
            places[i] = hpa;
        }
        for (int i = 0; i < bytes.length; i++) {
            memory.writeByte(places[i], bytes[i]);
        }
        return true;
    }

    private long next(long before, long linear) {
        boolean samePage = before != NOWHERE && (linear & PAGE_BYTES - 1) != 0;
        return samePage ? before + 1 : hpa(linear);
    }
}
