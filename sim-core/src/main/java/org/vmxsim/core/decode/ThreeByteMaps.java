package org.vmxsim.core.decode;

/**
 * SDM Vol. 2D, "Three-byte Opcode Map" (first two bytes 0FH 38H), and the rows that VEX prefixes select, in the form
 * that {@link OneByteMap} describes. Under VEX the prefix conditions speak of VEX.pp.
 */
final class ThreeByteMaps {
    static final String MAP_0F38 = """
            80 66 INVEPT Gy,Mn f64
            81 66 INVVPID Gy,Mn f64
            82 66 INVPCID Gy,Mn f64
            f0 F2 CRC32 Gy,Eb
            f0 nr MOVBE Gv,Mv
            f1 F2 CRC32 Gy,Ev
            f1 nr MOVBE Mv,Gv
            f5 66 WRUSS My,Gy
            f6 np WRSS My,Gy
            f6 66 ADCX Gy,Ey
            f6 F3 ADOX Gy,Ey
            f8 66 MOVDIR64B Gy,Mn
            f9 np MOVDIRI My,Gy
            """;

    static final String VEX_0F38 = """
            f2 np ANDN Gy,By,Ey
            f3 /1 np BLSR By,Ey
            f3 /2 np BLSMSK By,Ey
            f3 /3 np BLSI By,Ey
            f5 np BZHI Gy,Ey,By
            f5 F3 PEXT Gy,By,Ey
            f5 F2 PDEP Gy,By,Ey
            f6 F2 MULX Gy,By,Ey
            f7 np BEXTR Gy,Ey,By
            f7 66 SHLX Gy,Ey,By
            f7 F3 SARX Gy,Ey,By
            f7 F2 SHRX Gy,Ey,By
            """;

    static final String VEX_0F3A = """
            f0 F2 RORX Gy,Ey,Ib
            """;

    private ThreeByteMaps() {}
}
