package org.vmxsim.vmx.fuzz;

import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.cpu.SegmentRegister;

/** Puts a processor into one of the operating modes, with the descriptors and tables of a guest image. */
final class Modes {
    /** Real-address mode, 16- and 32-bit protected mode, 32-bit, PAE and 4-level paging, compatibility mode. */
    static final int COUNT = 8;

    private static final int CODE_64 = 0xa09b;
    private static final int CODE_32 = 0xc09b;
    private static final int CODE_16 = 0x9b;
    private static final int DATA_32 = 0xc093;
    private static final int DATA_16 = 0x93;
    private static final int USER = 0x60;
    private static final int CR4_PAE_PGE = 0xa0;
    private static final long PAGING = 0x8000_0000L;

    private final Processor cpu;

    Modes(Processor cpu) {
        this.cpu = cpu;
    }

    /** Sets a mode, 0 to {@link #COUNT} - 1. */
    void set(int number, boolean user) {
        switch (number) {
            case 0 -> realMode();
            case 1 -> mode(0x33, 0, CODE_32, user);
            case 2 -> mode(0x33, 0, CODE_16, user);
            case 3 -> {
                mode(PAGING | 0x33, 0x10, CODE_32, user);
                cpu.cr3 = GuestImage.PD_32;
            }
            case 4 -> {
                mode(PAGING | 0x33, CR4_PAE_PGE, CODE_32, user);
                cpu.cr3 = GuestImage.PDPT_PAE;
                cpu.pdpte[0] = GuestImage.PD | 1;
            }
            case 5 -> {
                longMode(user);
                cpu.segments[CpuState.CS].accessRights = CODE_32 | (user ? USER : 0);
            }
            default -> longMode(user);
        }
        cpu.modeChanged();
    }

    private void realMode() {
        mode(0x32, 0, CODE_16, false);
        for (int i = CpuState.ES; i <= CpuState.GS; i++) {
            cpu.segments[i].set(0, 0, 0xffff, i == CpuState.CS ? CODE_16 : DATA_16);
        }
        cpu.segments[CpuState.CS].set(GuestImage.CODE >> 4, GuestImage.CODE, 0xffff, CODE_16);
        cpu.idtrBase = 0;
        cpu.idtrLimit = 0x3ff;
    }

    private void mode(long cr0, int cr4, int code, boolean user) {
        longMode(user);
        cpu.cr0 = cr0;
        cpu.cr4 = cr4;
        cpu.efer = 0;
        cpu.idtrBase = GuestImage.IDT_32;
        cpu.segments[CpuState.TR].base = GuestImage.TSS_32;
        cpu.segments[CpuState.CS].set(
                user ? GuestImage.CODE_3_32 : GuestImage.CODE_0_32, 0, -1, code | (user ? USER : 0));
        if (code == CODE_16) {
            cpu.segments[CpuState.CS].base = GuestImage.CODE;
            cpu.segments[CpuState.CS].limit = 0xffff;
        }
    }

    /** 64-bit mode, at level 0 or 3. */
    void longMode(boolean user) {
        cpu.cr0 = 0x8005_0033L;
        cpu.cr3 = GuestImage.PML4;
        cpu.cr4 = CR4_PAE_PGE;
        cpu.efer = 0xd01;
        cpu.star = (long) (GuestImage.CODE_3_32 & ~3 | 3) << 48 | (long) GuestImage.CODE_0 << 32;
        cpu.lstar = GuestImage.SYSCALL_ENTRY;
        cpu.cstar = 0;
        cpu.fmask = 0x700;
        cpu.gdtrBase = GuestImage.GDT;
        cpu.gdtrLimit = 0xfff;
        cpu.idtrBase = GuestImage.IDT;
        cpu.idtrLimit = 0xfff;
        cpu.cpl = user ? 3 : 0;
        int rights = user ? USER : 0;
        for (int i = CpuState.ES; i <= CpuState.GS; i++) {
            cpu.segments[i].set(user ? GuestImage.DATA_3 : GuestImage.DATA_0, 0, -1, DATA_32 | rights);
        }
        cpu.segments[CpuState.CS].set(user ? GuestImage.CODE_3 : GuestImage.CODE_0, 0, -1, CODE_64 | rights);
        cpu.segments[CpuState.LDTR].set(0, 0, 0, SegmentRegister.UNUSABLE);
        cpu.segments[CpuState.TR].set(GuestImage.TASK, GuestImage.TSS, 0x67, 0x8b);
    }
}
