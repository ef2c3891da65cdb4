package org.vmxsim.core.decode;

/**
 * SDM Vol. 2D, "One-byte Opcode Map", row by row.
 *
 * <p>A line is: opcode (or a range of eight with the register in its low bits, {@code 50+}), then conditions, then the
 * operation, its operands in the manual's notation, and attributes. Conditions: {@code /n} ModR/M.reg, {@code mem} or
 * {@code reg} the kind of ModR/M.rm, {@code rmN} its number, {@code np} none of the prefixes 66, F2, F3, {@code nr}
 * neither F2 nor F3, {@code 66}, {@code F2}, {@code F3} that prefix, {@code w1} REX.W. Attributes: the manual's
 * superscripts {@code i64}, {@code o64}, {@code d64}, {@code f64}, and {@code lock} where LOCK is allowed on a memory
 * destination. Where several lines fit, the first is meant; where none fits, the encoding is undefined. The table of
 * condition codes is written with {@code cc}, the eight basic operations with {@code op}.
 */
final class OneByteMap {
    static final String TEXT = """
            # 00-3F: the binary operations; columns 6, 7, E, F: segment registers and decimal adjustment
            op
            06 PUSH ES i64
            07 POP ES i64
            0e PUSH CS i64
            16 PUSH SS i64
            17 POP SS i64
            1e PUSH DS i64
            1f POP DS i64
            27 DAA i64
            2f DAS i64
            37 AAA i64
            3f AAS i64
            # 40-5F
            40+ INC Zv i64
            48+ DEC Zv i64
            50+ PUSH Zv d64
            58+ POP Zv d64
            # 60-6F
            60 PUSHA i64
            61 POPA i64
            62 BOUND Gv,Ma i64
            63 ARPL Ew,Gw i64
            63 MOVSXD Gv,Ed o64
            68 PUSH Iz d64
            69 IMUL Gv,Ev,Iz
            6a PUSH Ib d64
            6b IMUL Gv,Ev,Ib
            6c INS Yb,DX
            6d INS Yz,DX
            6e OUTS DX,Xb
            6f OUTS DX,Xz
            # 70-7F: short-displacement jump on condition
            70cc J Jb f64
            # 80-8F: immediate group 1, TEST, XCHG, MOV
            80 /0 ADD Eb,Ib lock
            80 /1 OR Eb,Ib lock
            80 /2 ADC Eb,Ib lock
            80 /3 SBB Eb,Ib lock
            80 /4 AND Eb,Ib lock
            80 /5 SUB Eb,Ib lock
            80 /6 XOR Eb,Ib lock
            80 /7 CMP Eb,Ib
            81 /0 ADD Ev,Iz lock
            81 /1 OR Ev,Iz lock
            81 /2 ADC Ev,Iz lock
            81 /3 SBB Ev,Iz lock
            81 /4 AND Ev,Iz lock
            81 /5 SUB Ev,Iz lock
            81 /6 XOR Ev,Iz lock
            81 /7 CMP Ev,Iz
            82 /0 ADD Eb,Ib i64 lock
            82 /1 OR Eb,Ib i64 lock
            82 /2 ADC Eb,Ib i64 lock
            82 /3 SBB Eb,Ib i64 lock
            82 /4 AND Eb,Ib i64 lock
            82 /5 SUB Eb,Ib i64 lock
            82 /6 XOR Eb,Ib i64 lock
            82 /7 CMP Eb,Ib i64
            83 /0 ADD Ev,Ib lock
            83 /1 OR Ev,Ib lock
            83 /2 ADC Ev,Ib lock
            83 /3 SBB Ev,Ib lock
            83 /4 AND Ev,Ib lock
            83 /5 SUB Ev,Ib lock
            83 /6 XOR Ev,Ib lock
            83 /7 CMP Ev,Ib
            84 TEST Eb,Gb
            85 TEST Ev,Gv
            86 XCHG Eb,Gb lock
            87 XCHG Ev,Gv lock
            88 MOV Eb,Gb
            89 MOV Ev,Gv
            8a MOV Gb,Eb
            8b MOV Gv,Ev
            8c reg MOV Rv,Sw
            8c mem MOV Mw,Sw
            8d LEA Gv,Mn
            8e MOV Sw,Ew
            8f /0 POP Ev d64
            # 90-9F: XCHG, PAUSE, NOP, conversions, far call, flags
            90 F3 PAUSE
            90+ XCHG Zv,rAX
            98 CBW
            99 CWD
            9a CALLF Ap i64
            9b FWAIT
            9c PUSHF d64
            9d POPF d64
            9e SAHF
            9f LAHF
            # A0-AF: MOV with an absolute address, strings, TEST
            a0 MOV AL,Ob
            a1 MOV rAX,Ov
            a2 MOV Ob,AL
            a3 MOV Ov,rAX
            a4 MOVS Yb,Xb
            a5 MOVS Yv,Xv
            a6 CMPS Xb,Yb
            a7 CMPS Xv,Yv
            a8 TEST AL,Ib
            a9 TEST rAX,Iz
            aa STOS Yb,AL
            ab STOS Yv,rAX
            ac LODS AL,Xb
            ad LODS rAX,Xv
            ae SCAS AL,Yb
            af SCAS rAX,Yv
            # B0-BF: move immediate
            b0+ MOV Zb,Ib
            b8+ MOV Zv,Iv
            # C0-CF: shift group 2, near return, LES, LDS, group 11, ENTER, LEAVE, far return, interrupts
            c0 shift Eb,Ib
            c1 shift Ev,Ib
            c2 RET Iw f64
            c3 RET f64
            c4 LES Gz,Mp i64
            c5 LDS Gz,Mp i64
            c6 /0 MOV Eb,Ib
            c7 /0 MOV Ev,Iz
            c8 ENTER Iw,Ib d64
            c9 LEAVE d64
            ca RETF Iw
            cb RETF
            cc INT3
            cd INT Ib
            ce INTO i64
            cf IRET
            # D0-DF: shift group 2, AAM, AAD, SALC, XLAT; D8 to DF are in EscapeMap
            d0 shift Eb,1
            d1 shift Ev,1
            d2 shift Eb,CL
            d3 shift Ev,CL
            d4 AAM Ib i64
            d5 AAD Ib i64
            d6 SALC i64
            d7 XLAT
            # E0-EF: loops, JRCXZ, IN, OUT, near CALL and JMP, far JMP
            e0 LOOPNE Jb f64
            e1 LOOPE Jb f64
            e2 LOOP Jb f64
            e3 JRCXZ Jb f64
            e4 IN AL,Ib
            e5 IN eAX,Ib
            e6 OUT Ib,AL
            e7 OUT Ib,eAX
            e8 CALL Jz f64
            e9 JMP Jz f64
            ea JMPF Ap i64
            eb JMP Jb f64
            ec IN AL,DX
            ed IN eAX,DX
            ee OUT DX,AL
            ef OUT DX,eAX
            # F0-FF: INT1, HLT, CMC, unary group 3, flags, INC/DEC groups 4 and 5
            f1 INT1
            f4 HLT
            f5 CMC
            f6 /0 TEST Eb,Ib
            f6 /1 TEST Eb,Ib
            f6 /2 NOT Eb lock
            f6 /3 NEG Eb lock
            f6 /4 MUL Eb
            f6 /5 IMUL Eb
            f6 /6 DIV Eb
            f6 /7 IDIV Eb
            f7 /0 TEST Ev,Iz
            f7 /1 TEST Ev,Iz
            f7 /2 NOT Ev lock
            f7 /3 NEG Ev lock
            f7 /4 MUL Ev
            f7 /5 IMUL Ev
            f7 /6 DIV Ev
            f7 /7 IDIV Ev
            f8 CLC
            f9 STC
            fa CLI
            fb STI
            fc CLD
            fd STD
            fe /0 INC Eb lock
            fe /1 DEC Eb lock
            ff /0 INC Ev lock
            ff /1 DEC Ev lock
            ff /2 CALL Ev f64
            ff /3 CALLF Mp
            ff /4 JMP Ev f64
            ff /5 JMPF Mp
            ff /6 PUSH Ev d64
            """;

    private OneByteMap() {}
}
