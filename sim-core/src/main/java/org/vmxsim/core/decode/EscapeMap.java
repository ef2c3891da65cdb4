package org.vmxsim.core.decode;

/**
 * SDM Vol. 2D, "Opcode Extensions for One-byte and Two-byte Opcodes", "Escape Opcode Instructions": D8 to DF, in the
 * form that {@link OneByteMap} describes. The register operand ST(i) is ModR/M.rm. Blank places of the manual's tables
 * are undefined here, but for what the 8087 and 80287 had, which the manual calls integer NOPs.
 */
final class EscapeMap {
    static final String TEXT = """
            d8 /0 mem FADD Md
            d8 /0 reg FADD
            d8 /1 mem FMUL Md
            d8 /1 reg FMUL
            d8 /2 mem FCOM Md
            d8 /2 reg FCOM
            d8 /3 mem FCOMP Md
            d8 /3 reg FCOMP
            d8 /4 mem FSUB Md
            d8 /4 reg FSUB
            d8 /5 mem FSUBR Md
            d8 /5 reg FSUBR
            d8 /6 mem FDIV Md
            d8 /6 reg FDIV
            d8 /7 mem FDIVR Md
            d8 /7 reg FDIVR
            d9 /0 mem FLD Md
            d9 /0 reg FLD
            d9 /1 reg FXCH
            d9 /2 mem FST Md
            d9 /2 rm0 FNOP
            d9 /3 mem FSTP Md
            d9 /4 mem FLDENV Mn
            d9 /4 rm0 FCHS
            d9 /4 rm1 FABS
            d9 /4 rm4 FTST
            d9 /4 rm5 FXAM
            d9 /5 mem FLDCW Mw
            d9 /5 rm0 FLD1
            d9 /5 rm1 FLDL2T
            d9 /5 rm2 FLDL2E
            d9 /5 rm3 FLDPI
            d9 /5 rm4 FLDLG2
            d9 /5 rm5 FLDLN2
            d9 /5 rm6 FLDZ
            d9 /6 mem FNSTENV Mn
            d9 /6 rm0 F2XM1
            d9 /6 rm1 FYL2X
            d9 /6 rm2 FPTAN
            d9 /6 rm3 FPATAN
            d9 /6 rm4 FXTRACT
            d9 /6 rm5 FPREM1
            d9 /6 rm6 FDECSTP
            d9 /6 rm7 FINCSTP
            d9 /7 mem FNSTCW Mw
            d9 /7 rm0 FPREM
            d9 /7 rm1 FYL2XP1
            d9 /7 rm2 FSQRT
            d9 /7 rm3 FSINCOS
            d9 /7 rm4 FRNDINT
            d9 /7 rm5 FSCALE
            d9 /7 rm6 FSIN
            d9 /7 rm7 FCOS
            da /0 mem FIADD Md
            da /1 mem FIMUL Md
            da /2 mem FICOM Md
            da /3 mem FICOMP Md
            da /4 mem FISUB Md
            da /5 mem FISUBR Md
            da /6 mem FIDIV Md
            da /7 mem FIDIVR Md
            da /0 reg FCMOVB
            da /1 reg FCMOVE
            da /2 reg FCMOVBE
            da /3 reg FCMOVU
            da /5 rm1 FUCOMPP
            db /0 mem FILD Md
            db /2 mem FIST Md
            db /3 mem FISTP Md
            db /5 mem FLD Mt
            db /7 mem FSTP Mt
            db /0 reg FCMOVNB
            db /1 reg FCMOVNE
            db /2 reg FCMOVNBE
            db /3 reg FCMOVNU
            db /4 rm0 FNENI
            db /4 rm1 FNDISI
            db /4 rm2 FNCLEX
            db /4 rm3 FNINIT
            db /4 rm4 FNSETPM
            db /5 reg FUCOMI
            db /6 reg FCOMI
            dc /0 mem FADD Mq
            dc /1 mem FMUL Mq
            dc /2 mem FCOM Mq
            dc /3 mem FCOMP Mq
            dc /4 mem FSUB Mq
            dc /5 mem FSUBR Mq
            dc /6 mem FDIV Mq
            dc /7 mem FDIVR Mq
            dc /0 reg FADD
            dc /1 reg FMUL
            dc /4 reg FSUBR
            dc /5 reg FSUB
            dc /6 reg FDIVR
            dc /7 reg FDIV
            dd /0 mem FLD Mq
            dd /0 reg FFREE
            dd /2 mem FST Mq
            dd /2 reg FST
            dd /3 mem FSTP Mq
            dd /3 reg FSTP
            dd /4 mem FRSTOR Mn
            dd /4 reg FUCOM
            dd /5 reg FUCOMP
            dd /6 mem FNSAVE Mn
            dd /7 mem FNSTSW Mw
            de /0 mem FIADD Mw
            de /1 mem FIMUL Mw
            de /2 mem FICOM Mw
            de /3 mem FICOMP Mw
            de /4 mem FISUB Mw
            de /5 mem FISUBR Mw
            de /6 mem FIDIV Mw
            de /7 mem FIDIVR Mw
            de /0 reg FADDP
            de /1 reg FMULP
            de /4 reg FSUBRP
            de /5 reg FSUBP
            de /6 reg FDIVRP
            de /7 reg FDIVP
            de /3 rm1 FCOMPP
            df /0 mem FILD Mw
            df /2 mem FIST Mw
            df /3 mem FISTP Mw
            df /4 mem FBLD Mt
            df /4 rm0 FNSTSW
            df /5 mem FILD Mq
            df /5 reg FUCOMIP
            df /6 mem FBSTP Mt
            df /6 reg FCOMIP
            df /7 mem FISTP Mq
            """;

    private EscapeMap() {}
}
