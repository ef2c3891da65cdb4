package org.vmxsim.core.decode;

/** SDM Vol. 2D, "Two-byte Opcode Map" (first byte 0FH), row by row, in the form that {@link OneByteMap} describes. */
final class TwoByteMap {
    static final String TEXT = """
            # 00-0F: groups 6 and 7, LAR, LSL, system calls, cache control
            00 /0 reg SLDT Rv
            00 /0 mem SLDT Mw
            00 /1 reg STR Rv
            00 /1 mem STR Mw
            00 /2 LLDT Ew
            00 /3 LTR Ew
            00 /4 VERR Ew
            00 /5 VERW Ew
            01 /0 mem SGDT Ms
            01 /0 rm1 VMCALL
            01 /0 rm2 VMLAUNCH
            01 /0 rm3 VMRESUME
            01 /0 rm4 VMXOFF
            01 /1 mem SIDT Ms
            01 /1 rm0 MONITOR
            01 /1 rm1 MWAIT
            01 /1 rm2 np CLAC
            01 /1 rm3 np STAC
            01 /2 mem LGDT Ms
            01 /2 rm0 np XGETBV
            01 /2 rm1 np XSETBV
            01 /2 rm4 np VMFUNC
            01 /3 mem LIDT Ms
            01 /4 reg SMSW Rv
            01 /4 mem SMSW Mw
            01 /5 mem F3 RSTORSSP Mq
            01 /5 rm0 F3 SETSSBSY
            01 /5 rm2 F3 SAVEPREVSSP
            01 /5 rm6 np RDPKRU
            01 /5 rm7 np WRPKRU
            01 /6 LMSW Ew
            01 /7 mem INVLPG Mb
            01 /7 rm0 SWAPGS o64
            01 /7 rm1 RDTSCP
            02 LAR Gv,Ew
            03 LSL Gv,Ew
            05 SYSCALL o64
            06 CLTS
            07 SYSRET o64
            08 INVD
            09 F3 WBNOINVD
            09 WBINVD
            0b UD2
            0d NOP Ev
            # 18-1F: prefetch hints, and the NOPs of 0F 18 to 0F 1F
            18 NOP Ev
            19 NOP Ev
            1a NOP Ev
            1b NOP Ev
            1c NOP Ev
            1d NOP Ev
            1e /1 reg F3 RDSSP Ry
            1e /7 rm2 F3 ENDBR64
            1e /7 rm3 F3 ENDBR32
            1e NOP Ev
            1f NOP Ev
            # 20-2F: MOV with control and debug registers
            20 MOV Ry,Cy f64
            21 MOV Ry,Dy f64
            22 MOV Cy,Ry f64
            23 MOV Dy,Ry f64
            # 30-3F
            30 WRMSR
            31 RDTSC
            32 RDMSR
            33 RDPMC
            34 SYSENTER
            35 SYSEXIT
            # 40-4F: move on condition
            40cc CMOV Gv,Ev
            # 70-7F
            78 np VMREAD Ey,Gy f64
            79 np VMWRITE Gy,Ey f64
            # 80-8F: long-displacement jump on condition
            80cc J Jz f64
            # 90-9F: set byte on condition
            90cc SET Eb
            # A0-AF
            a0 PUSH FS d64
            a1 POP FS d64
            a2 CPUID
            a3 BT Ev,Gv
            a4 SHLD Ev,Gv,Ib
            a5 SHLD Ev,Gv,CL
            a8 PUSH GS d64
            a9 POP GS d64
            ab BTS Ev,Gv lock
            ac SHRD Ev,Gv,Ib
            ad SHRD Ev,Gv,CL
            ae /0 mem np FXSAVE Mn
            ae /1 mem np FXRSTOR Mn
            ae /0 reg F3 RDFSBASE Ry o64
            ae /1 reg F3 RDGSBASE Ry o64
            ae /2 reg F3 WRFSBASE Ry o64
            ae /3 reg F3 WRGSBASE Ry o64
            ae /5 reg F3 INCSSP Ry
            ae /5 reg np LFENCE
            ae /6 reg np MFENCE
            ae /6 mem F3 CLRSSBSY Mq
            ae /6 reg F3 UMONITOR Ry
            ae /6 reg F2 UMWAIT Rd
            ae /6 reg 66 TPAUSE Rd
            ae /6 mem 66 CLWB Mb
            ae /7 reg np SFENCE
            ae /7 mem np CLFLUSH Mb
            ae /7 mem 66 CLFLUSHOPT Mb
            af IMUL Gv,Ev
            # B0-BF
            b0 CMPXCHG Eb,Gb lock
            b1 CMPXCHG Ev,Gv lock
            b2 LSS Gv,Mp
            b3 BTR Ev,Gv lock
            b4 LFS Gv,Mp
            b5 LGS Gv,Mp
            b6 MOVZX Gv,Eb
            b7 MOVZX Gv,Ew
            b8 F3 POPCNT Gv,Ev
            b9 UD1 Gv,Ev
            ba /4 BT Ev,Ib
            ba /5 BTS Ev,Ib lock
            ba /6 BTR Ev,Ib lock
            ba /7 BTC Ev,Ib lock
            bb BTC Ev,Gv lock
            bc F3 TZCNT Gv,Ev
            bc BSF Gv,Ev
            bd F3 LZCNT Gv,Ev
            bd BSR Gv,Ev
            be MOVSX Gv,Eb
            bf MOVSX Gv,Ew
            # C0-CF
            c0 XADD Eb,Gb lock
            c1 XADD Ev,Gv lock
            c3 mem np MOVNTI My,Gy
            c7 /1 mem w1 CMPXCHG16B Mn lock
            c7 /1 mem CMPXCHG8B Mq lock
            c7 /6 mem np VMPTRLD Mq
            c7 /6 mem 66 VMCLEAR Mq
            c7 /6 mem F3 VMXON Mq
            c7 /6 reg nr RDRAND Rv
            c7 /7 mem np VMPTRST Mq
            c7 /7 reg F3 RDPID Ry f64
            c7 /7 reg nr RDSEED Rv
            c8+ BSWAP Zv
            # F0-FF
            ff UD0 Gv,Ev
            """;

    private TwoByteMap() {}
}
