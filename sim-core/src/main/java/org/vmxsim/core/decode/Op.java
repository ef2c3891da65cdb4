package org.vmxsim.core.decode;

/**
 * What an instruction does: one constant for each entry of the manual's instruction reference, or each of a family that
 * differs in condition. Operands and sizes are in {@link DecodedInstruction}. Families by condition stand in the order
 * of the condition's encoding (SDM Vol. 2D, "Conditional Test Field (tttn)").
 */
public enum Op {
    /** MOV, with segment, control and debug registers too: see the operand kinds. */
    MOV(InstructionGroup.DATA_TRANSFER),
    /** MOVZX. */
    MOVZX(InstructionGroup.DATA_TRANSFER),
    /** MOVSX. */
    MOVSX(InstructionGroup.DATA_TRANSFER),
    /** MOVSXD. */
    MOVSXD(InstructionGroup.DATA_TRANSFER),
    /** MOVBE. */
    MOVBE(InstructionGroup.DATA_TRANSFER),
    /** XCHG. */
    XCHG(InstructionGroup.DATA_TRANSFER),
    /** BSWAP. */
    BSWAP(InstructionGroup.DATA_TRANSFER),
    /** XADD. */
    XADD(InstructionGroup.DATA_TRANSFER),
    /** CMPXCHG. */
    CMPXCHG(InstructionGroup.DATA_TRANSFER),
    /** CMPXCHG8B. */
    CMPXCHG8B(InstructionGroup.DATA_TRANSFER),
    /** CMPXCHG16B. */
    CMPXCHG16B(InstructionGroup.DATA_TRANSFER),
    /** PUSH, of segment registers too. */
    PUSH(InstructionGroup.DATA_TRANSFER),
    /** POP, of segment registers too. */
    POP(InstructionGroup.DATA_TRANSFER),
    /** PUSHA or PUSHAD. */
    PUSHA(InstructionGroup.DATA_TRANSFER),
    /** POPA or POPAD. */
    POPA(InstructionGroup.DATA_TRANSFER),
    /** CBW, CWDE or CDQE, by operand size. */
    CBW(InstructionGroup.DATA_TRANSFER),
    /** CWD, CDQ or CQO, by operand size. */
    CWD(InstructionGroup.DATA_TRANSFER),
    /** Conditional move: overflow. */
    CMOVO(InstructionGroup.DATA_TRANSFER),
    /** Conditional move: not overflow. */
    CMOVNO(InstructionGroup.DATA_TRANSFER),
    /** Conditional move: below. */
    CMOVB(InstructionGroup.DATA_TRANSFER),
    /** Conditional move: above or equal. */
    CMOVAE(InstructionGroup.DATA_TRANSFER),
    /** Conditional move: equal. */
    CMOVE(InstructionGroup.DATA_TRANSFER),
    /** Conditional move: not equal. */
    CMOVNE(InstructionGroup.DATA_TRANSFER),
    /** Conditional move: below or equal. */
    CMOVBE(InstructionGroup.DATA_TRANSFER),
    /** Conditional move: above. */
    CMOVA(InstructionGroup.DATA_TRANSFER),
    /** Conditional move: sign. */
    CMOVS(InstructionGroup.DATA_TRANSFER),
    /** Conditional move: not sign. */
    CMOVNS(InstructionGroup.DATA_TRANSFER),
    /** Conditional move: parity. */
    CMOVP(InstructionGroup.DATA_TRANSFER),
    /** Conditional move: not parity. */
    CMOVNP(InstructionGroup.DATA_TRANSFER),
    /** Conditional move: less. */
    CMOVL(InstructionGroup.DATA_TRANSFER),
    /** Conditional move: greater or equal. */
    CMOVGE(InstructionGroup.DATA_TRANSFER),
    /** Conditional move: less or equal. */
    CMOVLE(InstructionGroup.DATA_TRANSFER),
    /** Conditional move: greater. */
    CMOVG(InstructionGroup.DATA_TRANSFER),
    /** ADD. */
    ADD(InstructionGroup.BINARY_ARITHMETIC),
    /** ADC. */
    ADC(InstructionGroup.BINARY_ARITHMETIC),
    /** SUB. */
    SUB(InstructionGroup.BINARY_ARITHMETIC),
    /** SBB. */
    SBB(InstructionGroup.BINARY_ARITHMETIC),
    /** CMP. */
    CMP(InstructionGroup.BINARY_ARITHMETIC),
    /** INC. */
    INC(InstructionGroup.BINARY_ARITHMETIC),
    /** DEC. */
    DEC(InstructionGroup.BINARY_ARITHMETIC),
    /** NEG. */
    NEG(InstructionGroup.BINARY_ARITHMETIC),
    /** MUL. */
    MUL(InstructionGroup.BINARY_ARITHMETIC),
    /** IMUL. */
    IMUL(InstructionGroup.BINARY_ARITHMETIC),
    /** DIV. */
    DIV(InstructionGroup.BINARY_ARITHMETIC),
    /** IDIV. */
    IDIV(InstructionGroup.BINARY_ARITHMETIC),
    /** ADCX. */
    ADCX(InstructionGroup.BINARY_ARITHMETIC),
    /** ADOX. */
    ADOX(InstructionGroup.BINARY_ARITHMETIC),
    /** DAA. */
    DAA(InstructionGroup.DECIMAL_ARITHMETIC),
    /** DAS. */
    DAS(InstructionGroup.DECIMAL_ARITHMETIC),
    /** AAA. */
    AAA(InstructionGroup.DECIMAL_ARITHMETIC),
    /** AAS. */
    AAS(InstructionGroup.DECIMAL_ARITHMETIC),
    /** AAM. */
    AAM(InstructionGroup.DECIMAL_ARITHMETIC),
    /** AAD. */
    AAD(InstructionGroup.DECIMAL_ARITHMETIC),
    /** AND. */
    AND(InstructionGroup.LOGICAL),
    /** OR. */
    OR(InstructionGroup.LOGICAL),
    /** XOR. */
    XOR(InstructionGroup.LOGICAL),
    /** NOT. */
    NOT(InstructionGroup.LOGICAL),
    /** TEST. */
    TEST(InstructionGroup.LOGICAL),
    /** ROL. */
    ROL(InstructionGroup.SHIFT_AND_ROTATE),
    /** ROR. */
    ROR(InstructionGroup.SHIFT_AND_ROTATE),
    /** RCL. */
    RCL(InstructionGroup.SHIFT_AND_ROTATE),
    /** RCR. */
    RCR(InstructionGroup.SHIFT_AND_ROTATE),
    /** SHL, also called SAL. */
    SHL(InstructionGroup.SHIFT_AND_ROTATE),
    /** SHR. */
    SHR(InstructionGroup.SHIFT_AND_ROTATE),
    /** SAR. */
    SAR(InstructionGroup.SHIFT_AND_ROTATE),
    /** SHLD. */
    SHLD(InstructionGroup.SHIFT_AND_ROTATE),
    /** SHRD. */
    SHRD(InstructionGroup.SHIFT_AND_ROTATE),
    /** BT. */
    BT(InstructionGroup.BIT_AND_BYTE),
    /** BTS. */
    BTS(InstructionGroup.BIT_AND_BYTE),
    /** BTR. */
    BTR(InstructionGroup.BIT_AND_BYTE),
    /** BTC. */
    BTC(InstructionGroup.BIT_AND_BYTE),
    /** BSF. */
    BSF(InstructionGroup.BIT_AND_BYTE),
    /** BSR. */
    BSR(InstructionGroup.BIT_AND_BYTE),
    /** TZCNT. */
    TZCNT(InstructionGroup.BIT_AND_BYTE),
    /** LZCNT. */
    LZCNT(InstructionGroup.BIT_AND_BYTE),
    /** POPCNT. */
    POPCNT(InstructionGroup.BIT_AND_BYTE),
    /** Set byte on condition: overflow. */
    SETO(InstructionGroup.BIT_AND_BYTE),
    /** Set byte on condition: not overflow. */
    SETNO(InstructionGroup.BIT_AND_BYTE),
    /** Set byte on condition: below. */
    SETB(InstructionGroup.BIT_AND_BYTE),
    /** Set byte on condition: above or equal. */
    SETAE(InstructionGroup.BIT_AND_BYTE),
    /** Set byte on condition: equal. */
    SETE(InstructionGroup.BIT_AND_BYTE),
    /** Set byte on condition: not equal. */
    SETNE(InstructionGroup.BIT_AND_BYTE),
    /** Set byte on condition: below or equal. */
    SETBE(InstructionGroup.BIT_AND_BYTE),
    /** Set byte on condition: above. */
    SETA(InstructionGroup.BIT_AND_BYTE),
    /** Set byte on condition: sign. */
    SETS(InstructionGroup.BIT_AND_BYTE),
    /** Set byte on condition: not sign. */
    SETNS(InstructionGroup.BIT_AND_BYTE),
    /** Set byte on condition: parity. */
    SETP(InstructionGroup.BIT_AND_BYTE),
    /** Set byte on condition: not parity. */
    SETNP(InstructionGroup.BIT_AND_BYTE),
    /** Set byte on condition: less. */
    SETL(InstructionGroup.BIT_AND_BYTE),
    /** Set byte on condition: greater or equal. */
    SETGE(InstructionGroup.BIT_AND_BYTE),
    /** Set byte on condition: less or equal. */
    SETLE(InstructionGroup.BIT_AND_BYTE),
    /** Set byte on condition: greater. */
    SETG(InstructionGroup.BIT_AND_BYTE),
    /** Jump on condition: overflow. */
    JO(InstructionGroup.CONTROL_TRANSFER),
    /** Jump on condition: not overflow. */
    JNO(InstructionGroup.CONTROL_TRANSFER),
    /** Jump on condition: below. */
    JB(InstructionGroup.CONTROL_TRANSFER),
    /** Jump on condition: above or equal. */
    JAE(InstructionGroup.CONTROL_TRANSFER),
    /** Jump on condition: equal. */
    JE(InstructionGroup.CONTROL_TRANSFER),
    /** Jump on condition: not equal. */
    JNE(InstructionGroup.CONTROL_TRANSFER),
    /** Jump on condition: below or equal. */
    JBE(InstructionGroup.CONTROL_TRANSFER),
    /** Jump on condition: above. */
    JA(InstructionGroup.CONTROL_TRANSFER),
    /** Jump on condition: sign. */
    JS(InstructionGroup.CONTROL_TRANSFER),
    /** Jump on condition: not sign. */
    JNS(InstructionGroup.CONTROL_TRANSFER),
    /** Jump on condition: parity. */
    JP(InstructionGroup.CONTROL_TRANSFER),
    /** Jump on condition: not parity. */
    JNP(InstructionGroup.CONTROL_TRANSFER),
    /** Jump on condition: less. */
    JL(InstructionGroup.CONTROL_TRANSFER),
    /** Jump on condition: greater or equal. */
    JGE(InstructionGroup.CONTROL_TRANSFER),
    /** Jump on condition: less or equal. */
    JLE(InstructionGroup.CONTROL_TRANSFER),
    /** Jump on condition: greater. */
    JG(InstructionGroup.CONTROL_TRANSFER),
    /** JCXZ, JECXZ or JRCXZ, by address size. */
    JRCXZ(InstructionGroup.CONTROL_TRANSFER),
    /** LOOP. */
    LOOP(InstructionGroup.CONTROL_TRANSFER),
    /** LOOPE. */
    LOOPE(InstructionGroup.CONTROL_TRANSFER),
    /** LOOPNE. */
    LOOPNE(InstructionGroup.CONTROL_TRANSFER),
    /** JMP, near. */
    JMP(InstructionGroup.CONTROL_TRANSFER),
    /** CALL, near. */
    CALL(InstructionGroup.CONTROL_TRANSFER),
    /** RET, near. */
    RET(InstructionGroup.CONTROL_TRANSFER),
    /** BOUND. */
    BOUND(InstructionGroup.CONTROL_TRANSFER),
    /** MOVS. */
    MOVS(InstructionGroup.STRING),
    /** CMPS. */
    CMPS(InstructionGroup.STRING),
    /** SCAS. */
    SCAS(InstructionGroup.STRING),
    /** LODS. */
    LODS(InstructionGroup.STRING),
    /** STOS. */
    STOS(InstructionGroup.STRING),
    /** ENTER. */
    ENTER(InstructionGroup.ENTER_AND_LEAVE),
    /** LEAVE. */
    LEAVE(InstructionGroup.ENTER_AND_LEAVE),
    /** STC. */
    STC(InstructionGroup.FLAG_CONTROL),
    /** CLC. */
    CLC(InstructionGroup.FLAG_CONTROL),
    /** CMC. */
    CMC(InstructionGroup.FLAG_CONTROL),
    /** CLD. */
    CLD(InstructionGroup.FLAG_CONTROL),
    /** STD. */
    STD(InstructionGroup.FLAG_CONTROL),
    /** LAHF. */
    LAHF(InstructionGroup.FLAG_CONTROL),
    /** SAHF. */
    SAHF(InstructionGroup.FLAG_CONTROL),
    /** SALC, which opcode maps leave out: AL from the carry flag. */
    SALC(InstructionGroup.FLAG_CONTROL),
    /** PUSHF, PUSHFD or PUSHFQ. */
    PUSHF(InstructionGroup.FLAG_CONTROL),
    /** POPF, POPFD or POPFQ. */
    POPF(InstructionGroup.FLAG_CONTROL),
    /** STI. */
    STI(InstructionGroup.FLAG_CONTROL),
    /** CLI. */
    CLI(InstructionGroup.FLAG_CONTROL),
    /** LEA. */
    LEA(InstructionGroup.MISCELLANEOUS),
    /** NOP in all its forms; also PREFETCH, CLDEMOTE, and MPX encodings without MPX. */
    NOP(InstructionGroup.MISCELLANEOUS),
    /** XLAT. */
    XLAT(InstructionGroup.MISCELLANEOUS),
    /** FNOP. */
    FNOP(InstructionGroup.MISCELLANEOUS),
    /** FWAIT. */
    FWAIT(InstructionGroup.MISCELLANEOUS),
    /** LFENCE. */
    LFENCE(InstructionGroup.MISCELLANEOUS),
    /** SFENCE. */
    SFENCE(InstructionGroup.MISCELLANEOUS),
    /** MFENCE. */
    MFENCE(InstructionGroup.MISCELLANEOUS),
    /** CLFLUSH. */
    CLFLUSH(InstructionGroup.MISCELLANEOUS),
    /** MOVDIRI. */
    MOVDIRI(InstructionGroup.MISCELLANEOUS),
    /** MOVDIR64B. */
    MOVDIR64B(InstructionGroup.MISCELLANEOUS),
    /** CLFLUSHOPT. */
    CLFLUSHOPT(InstructionGroup.MISCELLANEOUS),
    /** CLWB. */
    CLWB(InstructionGroup.MISCELLANEOUS),
    /** MOVNTI. */
    MOVNTI(InstructionGroup.MISCELLANEOUS),
    /** CRC32. */
    CRC32(InstructionGroup.MISCELLANEOUS),
    /** ANDN. */
    ANDN(InstructionGroup.BIT_MANIPULATION),
    /** BEXTR. */
    BEXTR(InstructionGroup.BIT_MANIPULATION),
    /** BLSI. */
    BLSI(InstructionGroup.BIT_MANIPULATION),
    /** BLSMSK. */
    BLSMSK(InstructionGroup.BIT_MANIPULATION),
    /** BLSR. */
    BLSR(InstructionGroup.BIT_MANIPULATION),
    /** BZHI. */
    BZHI(InstructionGroup.BIT_MANIPULATION),
    /** MULX. */
    MULX(InstructionGroup.BIT_MANIPULATION),
    /** PDEP. */
    PDEP(InstructionGroup.BIT_MANIPULATION),
    /** PEXT. */
    PEXT(InstructionGroup.BIT_MANIPULATION),
    /** RORX. */
    RORX(InstructionGroup.BIT_MANIPULATION),
    /** SARX. */
    SARX(InstructionGroup.BIT_MANIPULATION),
    /** SHLX. */
    SHLX(InstructionGroup.BIT_MANIPULATION),
    /** SHRX. */
    SHRX(InstructionGroup.BIT_MANIPULATION),
    /** INCSSPD or INCSSPQ, by operand size. */
    INCSSP(InstructionGroup.CONTROL_FLOW_ENFORCEMENT),
    /** RDSSPD or RDSSPQ. */
    RDSSP(InstructionGroup.CONTROL_FLOW_ENFORCEMENT),
    /** SAVEPREVSSP. */
    SAVEPREVSSP(InstructionGroup.CONTROL_FLOW_ENFORCEMENT),
    /** RSTORSSP. */
    RSTORSSP(InstructionGroup.CONTROL_FLOW_ENFORCEMENT),
    /** WRSSD or WRSSQ. */
    WRSS(InstructionGroup.CONTROL_FLOW_ENFORCEMENT),
    /** WRUSSD or WRUSSQ. */
    WRUSS(InstructionGroup.CONTROL_FLOW_ENFORCEMENT),
    /** SETSSBSY. */
    SETSSBSY(InstructionGroup.CONTROL_FLOW_ENFORCEMENT),
    /** CLRSSBSY. */
    CLRSSBSY(InstructionGroup.CONTROL_FLOW_ENFORCEMENT),
    /** ENDBR32. */
    ENDBR32(InstructionGroup.CONTROL_FLOW_ENFORCEMENT),
    /** ENDBR64. */
    ENDBR64(InstructionGroup.CONTROL_FLOW_ENFORCEMENT),
    /** LDS. */
    LDS(InstructionGroup.SYSTEM),
    /** LES. */
    LES(InstructionGroup.SYSTEM),
    /** LFS. */
    LFS(InstructionGroup.SYSTEM),
    /** LGS. */
    LGS(InstructionGroup.SYSTEM),
    /** LSS. */
    LSS(InstructionGroup.SYSTEM),
    /** IN. */
    IN(InstructionGroup.SYSTEM),
    /** OUT. */
    OUT(InstructionGroup.SYSTEM),
    /** INS. */
    INS(InstructionGroup.SYSTEM),
    /** OUTS. */
    OUTS(InstructionGroup.SYSTEM),
    /** INT. */
    INT(InstructionGroup.SYSTEM),
    /** INT1, opcode F1. */
    INT1(InstructionGroup.SYSTEM),
    /** INT3. */
    INT3(InstructionGroup.SYSTEM),
    /** INTO. */
    INTO(InstructionGroup.SYSTEM),
    /** IRET, IRETD or IRETQ. */
    IRET(InstructionGroup.SYSTEM),
    /** CALL, far. */
    CALLF(InstructionGroup.SYSTEM),
    /** JMP, far. */
    JMPF(InstructionGroup.SYSTEM),
    /** RET, far. */
    RETF(InstructionGroup.SYSTEM),
    /** HLT. */
    HLT(InstructionGroup.SYSTEM),
    /** PAUSE. */
    PAUSE(InstructionGroup.SYSTEM),
    /** CPUID. */
    CPUID(InstructionGroup.SYSTEM),
    /** RDTSC. */
    RDTSC(InstructionGroup.SYSTEM),
    /** RDTSCP. */
    RDTSCP(InstructionGroup.SYSTEM),
    /** RDPMC. */
    RDPMC(InstructionGroup.SYSTEM),
    /** RDMSR. */
    RDMSR(InstructionGroup.SYSTEM),
    /** WRMSR. */
    WRMSR(InstructionGroup.SYSTEM),
    /** RDRAND. */
    RDRAND(InstructionGroup.SYSTEM),
    /** RDSEED. */
    RDSEED(InstructionGroup.SYSTEM),
    /** RDPID. */
    RDPID(InstructionGroup.SYSTEM),
    /** LGDT. */
    LGDT(InstructionGroup.SYSTEM),
    /** SGDT. */
    SGDT(InstructionGroup.SYSTEM),
    /** LIDT. */
    LIDT(InstructionGroup.SYSTEM),
    /** SIDT. */
    SIDT(InstructionGroup.SYSTEM),
    /** LLDT. */
    LLDT(InstructionGroup.SYSTEM),
    /** SLDT. */
    SLDT(InstructionGroup.SYSTEM),
    /** LTR. */
    LTR(InstructionGroup.SYSTEM),
    /** STR. */
    STR(InstructionGroup.SYSTEM),
    /** LMSW. */
    LMSW(InstructionGroup.SYSTEM),
    /** SMSW. */
    SMSW(InstructionGroup.SYSTEM),
    /** CLTS. */
    CLTS(InstructionGroup.SYSTEM),
    /** ARPL. */
    ARPL(InstructionGroup.SYSTEM),
    /** LAR. */
    LAR(InstructionGroup.SYSTEM),
    /** LSL. */
    LSL(InstructionGroup.SYSTEM),
    /** VERR. */
    VERR(InstructionGroup.SYSTEM),
    /** VERW. */
    VERW(InstructionGroup.SYSTEM),
    /** INVD. */
    INVD(InstructionGroup.SYSTEM),
    /** WBINVD. */
    WBINVD(InstructionGroup.SYSTEM),
    /** WBNOINVD. */
    WBNOINVD(InstructionGroup.SYSTEM),
    /** INVLPG. */
    INVLPG(InstructionGroup.SYSTEM),
    /** INVPCID. */
    INVPCID(InstructionGroup.SYSTEM),
    /** SYSCALL. */
    SYSCALL(InstructionGroup.SYSTEM),
    /** SYSRET. */
    SYSRET(InstructionGroup.SYSTEM),
    /** SYSENTER. */
    SYSENTER(InstructionGroup.SYSTEM),
    /** SYSEXIT. */
    SYSEXIT(InstructionGroup.SYSTEM),
    /** SWAPGS. */
    SWAPGS(InstructionGroup.SYSTEM),
    /** CLAC. */
    CLAC(InstructionGroup.SYSTEM),
    /** STAC. */
    STAC(InstructionGroup.SYSTEM),
    /** XGETBV. */
    XGETBV(InstructionGroup.SYSTEM),
    /** XSETBV. */
    XSETBV(InstructionGroup.SYSTEM),
    /** RDPKRU. */
    RDPKRU(InstructionGroup.SYSTEM),
    /** WRPKRU. */
    WRPKRU(InstructionGroup.SYSTEM),
    /** RDFSBASE. */
    RDFSBASE(InstructionGroup.SYSTEM),
    /** RDGSBASE. */
    RDGSBASE(InstructionGroup.SYSTEM),
    /** WRFSBASE. */
    WRFSBASE(InstructionGroup.SYSTEM),
    /** WRGSBASE. */
    WRGSBASE(InstructionGroup.SYSTEM),
    /** MONITOR. */
    MONITOR(InstructionGroup.SYSTEM),
    /** MWAIT. */
    MWAIT(InstructionGroup.SYSTEM),
    /** UMONITOR. */
    UMONITOR(InstructionGroup.SYSTEM),
    /** UMWAIT. */
    UMWAIT(InstructionGroup.SYSTEM),
    /** TPAUSE. */
    TPAUSE(InstructionGroup.SYSTEM),
    /** VMCALL. */
    VMCALL(InstructionGroup.SYSTEM),
    /** VMLAUNCH. */
    VMLAUNCH(InstructionGroup.SYSTEM),
    /** VMRESUME. */
    VMRESUME(InstructionGroup.SYSTEM),
    /** VMXOFF. */
    VMXOFF(InstructionGroup.SYSTEM),
    /** VMFUNC. */
    VMFUNC(InstructionGroup.SYSTEM),
    /** VMXON. */
    VMXON(InstructionGroup.SYSTEM),
    /** VMPTRLD. */
    VMPTRLD(InstructionGroup.SYSTEM),
    /** VMPTRST. */
    VMPTRST(InstructionGroup.SYSTEM),
    /** VMCLEAR. */
    VMCLEAR(InstructionGroup.SYSTEM),
    /** VMREAD. */
    VMREAD(InstructionGroup.SYSTEM),
    /** VMWRITE. */
    VMWRITE(InstructionGroup.SYSTEM),
    /** INVEPT. */
    INVEPT(InstructionGroup.SYSTEM),
    /** INVVPID. */
    INVVPID(InstructionGroup.SYSTEM),
    /** FLD. */
    FLD(InstructionGroup.FLOATING_POINT),
    /** FST. */
    FST(InstructionGroup.FLOATING_POINT),
    /** FSTP. */
    FSTP(InstructionGroup.FLOATING_POINT),
    /** FILD. */
    FILD(InstructionGroup.FLOATING_POINT),
    /** FIST. */
    FIST(InstructionGroup.FLOATING_POINT),
    /** FISTP. */
    FISTP(InstructionGroup.FLOATING_POINT),
    /** FBLD. */
    FBLD(InstructionGroup.FLOATING_POINT),
    /** FBSTP. */
    FBSTP(InstructionGroup.FLOATING_POINT),
    /** FXCH. */
    FXCH(InstructionGroup.FLOATING_POINT),
    /** FCMOVB. */
    FCMOVB(InstructionGroup.FLOATING_POINT),
    /** FCMOVE. */
    FCMOVE(InstructionGroup.FLOATING_POINT),
    /** FCMOVBE. */
    FCMOVBE(InstructionGroup.FLOATING_POINT),
    /** FCMOVU. */
    FCMOVU(InstructionGroup.FLOATING_POINT),
    /** FCMOVNB. */
    FCMOVNB(InstructionGroup.FLOATING_POINT),
    /** FCMOVNE. */
    FCMOVNE(InstructionGroup.FLOATING_POINT),
    /** FCMOVNBE. */
    FCMOVNBE(InstructionGroup.FLOATING_POINT),
    /** FCMOVNU. */
    FCMOVNU(InstructionGroup.FLOATING_POINT),
    /** FADD. */
    FADD(InstructionGroup.FLOATING_POINT),
    /** FADDP. */
    FADDP(InstructionGroup.FLOATING_POINT),
    /** FIADD. */
    FIADD(InstructionGroup.FLOATING_POINT),
    /** FSUB. */
    FSUB(InstructionGroup.FLOATING_POINT),
    /** FSUBP. */
    FSUBP(InstructionGroup.FLOATING_POINT),
    /** FISUB. */
    FISUB(InstructionGroup.FLOATING_POINT),
    /** FSUBR. */
    FSUBR(InstructionGroup.FLOATING_POINT),
    /** FSUBRP. */
    FSUBRP(InstructionGroup.FLOATING_POINT),
    /** FISUBR. */
    FISUBR(InstructionGroup.FLOATING_POINT),
    /** FMUL. */
    FMUL(InstructionGroup.FLOATING_POINT),
    /** FMULP. */
    FMULP(InstructionGroup.FLOATING_POINT),
    /** FIMUL. */
    FIMUL(InstructionGroup.FLOATING_POINT),
    /** FDIV. */
    FDIV(InstructionGroup.FLOATING_POINT),
    /** FDIVP. */
    FDIVP(InstructionGroup.FLOATING_POINT),
    /** FIDIV. */
    FIDIV(InstructionGroup.FLOATING_POINT),
    /** FDIVR. */
    FDIVR(InstructionGroup.FLOATING_POINT),
    /** FDIVRP. */
    FDIVRP(InstructionGroup.FLOATING_POINT),
    /** FIDIVR. */
    FIDIVR(InstructionGroup.FLOATING_POINT),
    /** FPREM. */
    FPREM(InstructionGroup.FLOATING_POINT),
    /** FPREM1. */
    FPREM1(InstructionGroup.FLOATING_POINT),
    /** FABS. */
    FABS(InstructionGroup.FLOATING_POINT),
    /** FCHS. */
    FCHS(InstructionGroup.FLOATING_POINT),
    /** FRNDINT. */
    FRNDINT(InstructionGroup.FLOATING_POINT),
    /** FSCALE. */
    FSCALE(InstructionGroup.FLOATING_POINT),
    /** FSQRT. */
    FSQRT(InstructionGroup.FLOATING_POINT),
    /** FXTRACT. */
    FXTRACT(InstructionGroup.FLOATING_POINT),
    /** FCOM. */
    FCOM(InstructionGroup.FLOATING_POINT),
    /** FCOMP. */
    FCOMP(InstructionGroup.FLOATING_POINT),
    /** FCOMPP. */
    FCOMPP(InstructionGroup.FLOATING_POINT),
    /** FUCOM. */
    FUCOM(InstructionGroup.FLOATING_POINT),
    /** FUCOMP. */
    FUCOMP(InstructionGroup.FLOATING_POINT),
    /** FUCOMPP. */
    FUCOMPP(InstructionGroup.FLOATING_POINT),
    /** FICOM. */
    FICOM(InstructionGroup.FLOATING_POINT),
    /** FICOMP. */
    FICOMP(InstructionGroup.FLOATING_POINT),
    /** FCOMI. */
    FCOMI(InstructionGroup.FLOATING_POINT),
    /** FCOMIP. */
    FCOMIP(InstructionGroup.FLOATING_POINT),
    /** FUCOMI. */
    FUCOMI(InstructionGroup.FLOATING_POINT),
    /** FUCOMIP. */
    FUCOMIP(InstructionGroup.FLOATING_POINT),
    /** FTST. */
    FTST(InstructionGroup.FLOATING_POINT),
    /** FXAM. */
    FXAM(InstructionGroup.FLOATING_POINT),
    /** FSIN. */
    FSIN(InstructionGroup.FLOATING_POINT),
    /** FCOS. */
    FCOS(InstructionGroup.FLOATING_POINT),
    /** FSINCOS. */
    FSINCOS(InstructionGroup.FLOATING_POINT),
    /** FPTAN. */
    FPTAN(InstructionGroup.FLOATING_POINT),
    /** FPATAN. */
    FPATAN(InstructionGroup.FLOATING_POINT),
    /** F2XM1. */
    F2XM1(InstructionGroup.FLOATING_POINT),
    /** FYL2X. */
    FYL2X(InstructionGroup.FLOATING_POINT),
    /** FYL2XP1. */
    FYL2XP1(InstructionGroup.FLOATING_POINT),
    /** FLD1. */
    FLD1(InstructionGroup.FLOATING_POINT),
    /** FLDZ. */
    FLDZ(InstructionGroup.FLOATING_POINT),
    /** FLDPI. */
    FLDPI(InstructionGroup.FLOATING_POINT),
    /** FLDL2E. */
    FLDL2E(InstructionGroup.FLOATING_POINT),
    /** FLDL2T. */
    FLDL2T(InstructionGroup.FLOATING_POINT),
    /** FLDLN2. */
    FLDLN2(InstructionGroup.FLOATING_POINT),
    /** FLDLG2. */
    FLDLG2(InstructionGroup.FLOATING_POINT),
    /** FINCSTP. */
    FINCSTP(InstructionGroup.FLOATING_POINT),
    /** FDECSTP. */
    FDECSTP(InstructionGroup.FLOATING_POINT),
    /** FFREE. */
    FFREE(InstructionGroup.FLOATING_POINT),
    /** FNINIT. */
    FNINIT(InstructionGroup.FLOATING_POINT),
    /** FNCLEX. */
    FNCLEX(InstructionGroup.FLOATING_POINT),
    /** FNSTCW. */
    FNSTCW(InstructionGroup.FLOATING_POINT),
    /** FLDCW. */
    FLDCW(InstructionGroup.FLOATING_POINT),
    /** FNSTENV. */
    FNSTENV(InstructionGroup.FLOATING_POINT),
    /** FLDENV. */
    FLDENV(InstructionGroup.FLOATING_POINT),
    /** FNSAVE. */
    FNSAVE(InstructionGroup.FLOATING_POINT),
    /** FRSTOR. */
    FRSTOR(InstructionGroup.FLOATING_POINT),
    /** FNSTSW. */
    FNSTSW(InstructionGroup.FLOATING_POINT),
    /** FNENI. */
    FNENI(InstructionGroup.FLOATING_POINT),
    /** FNDISI. */
    FNDISI(InstructionGroup.FLOATING_POINT),
    /** FNSETPM. */
    FNSETPM(InstructionGroup.FLOATING_POINT),
    /** FXSAVE. */
    FXSAVE(InstructionGroup.FLOATING_POINT),
    /** FXRSTOR. */
    FXRSTOR(InstructionGroup.FLOATING_POINT),
    /** UD0. */
    UD0(InstructionGroup.INVALID),
    /** UD1. */
    UD1(InstructionGroup.INVALID),
    /** UD2. */
    UD2(InstructionGroup.INVALID),
    /** An encoding that the manual does not define, or forbids: #UD. */
    UNDEFINED(InstructionGroup.INVALID),
    /** More than 15 bytes: #GP(0). */
    TOO_LONG(InstructionGroup.INVALID);

    private final InstructionGroup group;

    Op(InstructionGroup group) {
        this.group = group;
    }

    /**
     * The manual's group of the instruction.
     *
     * @return the group
     */
    public InstructionGroup group() {
        return group;
    }
}
