package org.vmxsim.core.decode;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** How the recording is made: {@code src/test/native/decode/record.py}. */
@DisplayName("Every row of the opcode maps, and random bytes, as another disassembler reads them")
class RecordedDecodesTest {
    /**
     * Encodings that the manual defines, with ModR/M bits or prefixes that it ignores, and the disassembler does not;
     * and SALC, which processors have and neither of the two names.
     */
    private static final Set<Op> STRICTER_THERE =
            EnumSet.of(Op.BSF, Op.BSR, Op.NOP, Op.LFENCE, Op.MFENCE, Op.SFENCE, Op.WBINVD, Op.SALC);
    /** "Invalid" outside 64-bit mode on Intel processors. */
    private static final Set<String> ONLY_64 =
            Set.of("syscall", "sysret", "swapgs", "rdfsbase", "rdgsbase", "wrfsbase", "wrgsbase");
    /** "NP" in the manual: undefined with a prefix 66, F2 or F3. */
    private static final Set<String> NO_PREFIX = Set.of(
            "xsetbv",
            "xgetbv",
            "vmfunc",
            "rdpkru",
            "wrpkru",
            "clac",
            "stac",
            "vmptrst",
            "fxsave",
            "fxrstor",
            "fxsave64",
            "fxrstor64");

    private static final Map<String, Set<Op>> OPS = new HashMap<>();

    static {
        for (Op op : EnumSet.complementOf(EnumSet.of(Op.UNDEFINED, Op.TOO_LONG, Op.CALLF, Op.JMPF))) {
            names(op, op.name().toLowerCase(Locale.ROOT));
        }
        names(Op.CBW, "cwde cdqe");
        names(Op.CWD, "cdq cqo");
        names(Op.CALLF, "call");
        names(Op.JMPF, "jmp");
        names(Op.CALL, "callw calld");
        names(Op.JMP, "jmpw jmpd");
        names(Op.ENTER, "enterw enterd");
        names(Op.LEAVE, "leavew leaved");
        names(Op.IRET, "iretw iretd iretq");
        names(Op.JRCXZ, "jcxz jecxz");
        names(Op.MOV, "movabs");
        names(Op.XCHG, "nop");
        names(Op.POPA, "popaw popad");
        names(Op.PUSHA, "pushaw pushad");
        names(Op.POP, "popw popd");
        names(Op.PUSH, "pushw pushd");
        names(Op.POPF, "popfw popfd");
        names(Op.PUSHF, "pushfw pushfd");
        names(Op.RET, "retw retd");
        names(Op.RETF, "retfw retfd retfq");
        names(Op.FXSAVE, "fxsave64");
        names(Op.FXRSTOR, "fxrstor64");
        names(Op.FNENI, "fneni(8087");
        names(Op.FNDISI, "fndisi(8087");
        names(Op.FNSETPM, "fnsetpm(287");
        names(Op.SYSEXIT, "sysexitd sysexitq");
        names(Op.SYSRET, "sysretd sysretq");
        for (Op op : List.of(Op.LGDT, Op.LIDT, Op.SGDT, Op.SIDT)) {
            String name = op.name().toLowerCase(Locale.ROOT);
            names(op, name + "w " + name + "d");
        }
        names(Op.NOP, "prefetch prefetchw prefetchwt1 prefetchnta prefetcht0 prefetcht1 prefetcht2 cldemote");
        names(Op.NOP, "bndcl bndcn bndcu bndldx bndmk bndmov bndstx");
        for (Op op : List.of(Op.INCSSP, Op.RDSSP, Op.WRSS, Op.WRUSS)) {
            String name = op.name().toLowerCase(Locale.ROOT);
            names(op, name + "d " + name + "q");
        }
    }

    private final Decoder decoder = new Decoder();
    private final DecodedInstruction d = new DecodedInstruction();

    private static void names(Op op, String names) {
        for (String name : names.split(" ")) {
            OPS.computeIfAbsent(name, unused -> EnumSet.noneOf(Op.class)).add(op);
        }
    }

    @Test
    @DisplayName("operation and length")
    void agree() throws IOException {
        List<String> mismatches = new ArrayList<>();
        int lines = 0;
        try (BufferedReader recording = new BufferedReader(new InputStreamReader(
                new GZIPInputStream(RecordedDecodesTest.class.getResourceAsStream("decodes.txt.gz")),
                StandardCharsets.US_ASCII))) {
            for (String line = recording.readLine(); line != null; line = recording.readLine()) {
                lines++;
                String[] words = line.split(" ");
                if (!agrees(Integer.parseInt(words[0]), HexFormat.of().parseHex(words[1]), words[2])) {
                    mismatches.add(line + " but was " + d.op + " of " + d.length);
                }
            }
        }
        assertThat(mismatches).isEmpty();
        assertThat(lines).isGreaterThan(100_000);
    }

    private boolean agrees(int bits, byte[] bytes, String name) {
        boolean whole = decoder.decode(bytes, bytes.length, bits, d);
        if (name.equals("(bad)")) {
            return d.op == Op.UNDEFINED || d.op == Op.TOO_LONG || STRICTER_THERE.contains(d.op);
        }
        Set<Op> ops = OPS.get(name);
        // x87 with a wait in front is two instructions here
        if (ops == null || d.op == Op.FWAIT && bytes.length > d.length) {
            return d.op == Op.UNDEFINED || d.op == Op.FWAIT && name.startsWith("f");
        }
        if (whole && ops.contains(d.op)) {
            return d.length == bytes.length;
        }
        boolean prefixed = d.operandSizePrefix || d.repeat != 0;
        // control registers 1, 5 to 7, 9 and up; test registers; segment registers 6 and 7, CS as a destination
        boolean noSuchRegister = name.equals("mov")
                && Set.of(0x20, 0x21, 0x22, 0x23, 0x24, 0x26, 0x8c, 0x8e).contains(d.opcode);
        boolean branchTakenAs16Bits = bits == 64 && d.operandSizePrefix && !whole;
        return d.op == Op.UNDEFINED
                && (d.lock
                        || bits != 64 && ONLY_64.contains(name)
                        || prefixed && NO_PREFIX.contains(name)
                        || noSuchRegister
                        || branchTakenAs16Bits);
    }
}
