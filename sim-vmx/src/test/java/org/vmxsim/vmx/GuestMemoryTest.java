package org.vmxsim.vmx;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.vmx.control.PinControls;
import org.vmxsim.vmx.control.SecondaryControls;
import org.vmxsim.vmx.ept.Eptp;
import org.vmxsim.vmx.exit.ExitReason;
import org.vmxsim.vmx.exit.VmExit;
import org.vmxsim.vmx.vmcs.ControlField;
import org.vmxsim.vmx.vmcs.GuestField;
import org.vmxsim.vmx.vmcs.VmcsField;

/** What EPT and its sub-page permissions do to programs that run in non-root operation, in both engines. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class GuestMemoryTest {
    private static final long DATA = GuestFixture.DATA;
    private static final long CODE = GuestFixture.CODE;
    private static final long HANDLER = 0x10_4000;
    private static final long VE_AREA = 0x3_a000;
    private static final long EPT_PML5 = 0x1_4000;
    private static final int LEAF = 6 << 3;
    private static final int RWX = 7;
    private static final long SUPPRESS_VE = 1L << 63;
    private static final long SPP = 1L << 61;
    private static final long USER_EXECUTE = 1 << 10;
    /** MOV [RBX], RAX; HLT. */
    private static final int[] STORE = {0x48, 0x89, 0x03, 0xf4};
    /** Memory below and above the byte that the writes of {@link #writes} cross, and nothing else, is looked at. */
    private static final int WINDOW = 64;

    private GuestFixture guest;

    private void guest(Engine engine) {
        guest = GuestFixture.longMode("icelake-sp", engine);
    }

    private void secondary(int control) {
        guest.add(ControlField.SECONDARY_PROCESSOR_CONTROLS, control);
    }

    private void register(int register, long value) {
        guest.cpu.gpr[register] = value;
    }

    private void expect(ExitReason reason) {
        assertThat(guest.enterAndRun().reason).isEqualTo(reason);
    }

    /** A 64-bit interrupt gate to {@link #HANDLER}, where VMCALL stands. */
    private void gate(int vector) {
        long low = HANDLER & 0xffff | 8 << 16 | 0x8e00L << 32 | (HANDLER >>> 16 & 0xffff) << 48;
        guest.machine.memory().writeLong(GuestFixture.IDT + 16L * vector, low);
        guest.machine.memory().writeLong(GuestFixture.GDT + 8, 0x00af_9b00_0000_ffffL);
        guest.machine.memory().writeLong(GuestFixture.GDT + 16, 0x00cf_9300_0000_ffffL);
        guest.machine.memory().writeInt(HANDLER, 0xc1010f);
    }

    private void virtualizationExceptions() {
        secondary(SecondaryControls.EPT_VIOLATION_VE);
        guest.write(ControlField.VIRTUALIZATION_EXCEPTION_INFORMATION_ADDRESS, VE_AREA);
        guest.write(ControlField.EPTP_INDEX, 3);
        gate(20);
    }

    /** A write denied by EPT reaches the guest's own handler of vector 20: no exit, no error code. */
    @ParameterizedTest
    @EnumSource(Engine.class)
    void aConvertibleViolationIsDeliveredToTheGuest(Engine engine) {
        guest(engine);
        virtualizationExceptions();
        guest.code(STORE).mapEpt(DATA, DATA | LEAF | 5);
        register(CpuState.RBX, DATA + 0x18);
        guest.cpu.cr2 = 7;

        expect(ExitReason.VMCALL);

        assertThat(guest.read(GuestField.RIP)).isEqualTo(HANDLER);
        long rsp = guest.read(GuestField.RSP);
        assertThat(rsp).as("five words, no error code").isEqualTo(GuestFixture.STACK - 40);
        assertThat(guest.machine.memory().readLong(rsp)).as("a fault").isEqualTo(CODE);
        assertThat(guest.cpu.cr2).isEqualTo(7);
        assertThat(guest.machine.memory().readInt(VE_AREA)).isEqualTo(48);
        assertThat(guest.machine.memory().readInt(VE_AREA + 4)).isEqualTo(-1);
        assertThat(guest.machine.memory().readLong(VE_AREA + 8))
                .as("qualification: write; readable, executable; linear address, its translation; user, writable")
                .isEqualTo(1 << 1 | 5 << 3 | 3 << 7 | 3 << 9);
        assertThat(guest.machine.memory().readLong(VE_AREA + 16)).isEqualTo(DATA + 0x18);
        assertThat(guest.machine.memory().readLong(VE_AREA + 24)).isEqualTo(DATA + 0x18);
        assertThat(guest.machine.memory().readShort(VE_AREA + 32)).isEqualTo(3);

        guest.write(GuestField.RIP, CODE);
        expect(ExitReason.EPT_VIOLATION);
        guest.machine.memory().writeInt(VE_AREA + 4, 0);
        guest.write(GuestField.RIP, CODE);
        expect(ExitReason.VMCALL);
    }

    @ParameterizedTest
    @EnumSource(Engine.class)
    void suppressedOrInterceptedExceptionsExit(Engine engine) {
        guest(engine);
        virtualizationExceptions();
        guest.code(STORE).mapEpt(DATA, DATA | LEAF | 5 | SUPPRESS_VE);
        register(CpuState.RBX, DATA);
        expect(ExitReason.EPT_VIOLATION);
        assertThat(guest.machine.memory().readInt(VE_AREA + 4)).isZero();

        guest.mapEpt(DATA, DATA | LEAF | 5);
        guest.write(ControlField.EXCEPTION_BITMAP, 1 << 20);
        VmExit exit = guest.enterAndRun();
        assertThat(exit.reason).isEqualTo(ExitReason.EXCEPTION_OR_NMI);
        assertThat(exit.interruptionInformation).isEqualTo(20 | 3 << 8 | 1 << 31);
    }

    /** "The logical processor is not in the process of delivering an event through the IDT" is a condition of #VE. */
    @ParameterizedTest
    @EnumSource(Engine.class)
    void aViolationWhileAnEventIsDeliveredExits(Engine engine) {
        guest(engine);
        virtualizationExceptions();
        gate(6);
        guest.code(0x0f, 0x0b).mapEpt(GuestFixture.STACK - 0x1000, GuestFixture.STACK - 0x1000 | LEAF | 5);

        VmExit exit = guest.enterAndRun();

        assertThat(exit.reason).isEqualTo(ExitReason.EPT_VIOLATION);
        assertThat(exit.idtVectoringInformation).isEqualTo(6 | 3 << 8 | 1 << 31);
        assertThat(guest.machine.memory().readInt(VE_AREA + 4)).isZero();
    }

    private void armSubPages(long page) {
        secondary(SecondaryControls.SUB_PAGE_WRITE);
        guest.write(ControlField.SUB_PAGE_PERMISSION_TABLE_POINTER, GuestFixture.SPPT);
        guest.mapEpt(page, page | SPP | LEAF | 5);
    }

    /** Links all levels of the SPPT for the first 2 MiB. */
    private void vector(long gpa, long vector) {
        long table = GuestFixture.SPPT;
        for (int level = 4; level > 1; level--) {
            guest.machine.memory().writeLong(table, table + 0x1000 | 1);
            table += 0x1000;
        }
        guest.machine.memory().writeLong(table + 8 * (gpa >>> 12 & 511), vector);
    }

    /** spp.md C19: with #VE, a denied sub-page write is delivered to the guest, but a miss exits. */
    @ParameterizedTest
    @EnumSource(Engine.class)
    void deniedSubPageWritesAreVirtualizationExceptionsAndMissesExit(Engine engine) {
        guest(engine);
        virtualizationExceptions();
        armSubPages(DATA);
        guest.code(STORE);
        register(CpuState.RBX, DATA + 0x80);

        expect(ExitReason.SPP_RELATED_EVENT);
        vector(DATA, 1);
        expect(ExitReason.VMCALL);

        assertThat(guest.read(GuestField.RIP)).isEqualTo(HANDLER);
        assertThat(guest.machine.memory().readLong(VE_AREA + 24)).isEqualTo(DATA + 0x80);
    }

    /** spp.md C17: a permission taken away stays until INVEPT, as a permission that the processor has cached may. */
    @ParameterizedTest
    @EnumSource(Engine.class)
    void aPermissionTakenAwayMayLastUntilInvept(Engine engine) {
        guest(engine);
        armSubPages(DATA);
        vector(DATA, 1);
        guest.code(STORE);
        register(CpuState.RBX, DATA);
        register(CpuState.RAX, 11);
        expect(ExitReason.HLT);

        vector(DATA, 0);
        register(CpuState.RAX, 12);
        guest.write(GuestField.RIP, CODE);
        expect(ExitReason.HLT);
        assertThat(guest.machine.memory().readLong(DATA)).as("stale").isEqualTo(12);

        guest.vmx.invept(1, guest.read(ControlField.EPT_POINTER));
        register(CpuState.RAX, 13);
        guest.write(GuestField.RIP, CODE);
        expect(ExitReason.EPT_VIOLATION);
        assertThat(guest.machine.memory().readLong(DATA)).isEqualTo(12);
    }

    private void logging() {
        secondary(SecondaryControls.PML);
        guest.write(ControlField.PML_ADDRESS, GuestFixture.PML).write(GuestField.PML_INDEX, 511);
        guest.write(ControlField.EPT_POINTER, Eptp.of(GuestFixture.EPT_ROOT, 4, true));
    }

    private long logged(int index) {
        return guest.machine.memory().readLong(GuestFixture.PML + 8L * index);
    }

    /** spp.md C18: a write that the sub-page permissions allow sets the dirty flag and is logged. */
    @ParameterizedTest
    @EnumSource(Engine.class)
    void allowedSubPageWritesAreLogged(Engine engine) {
        guest(engine);
        logging();
        armSubPages(DATA);
        vector(DATA, 1);
        guest.code(STORE);
        register(CpuState.RBX, DATA + 8);

        expect(ExitReason.HLT);

        long index = guest.read(GuestField.PML_INDEX);
        assertThat(logged((int) index + 1)).isEqualTo(DATA);
        assertThat(guest.machine.memory().readLong(GuestFixture.EPT_PT + (DATA >>> 12) * 8) >>> 8 & 3)
                .isEqualTo(3);
    }

    /** A page is logged when its first write dirties it; the tables of the guest are, since walks write to them. */
    @ParameterizedTest
    @EnumSource(Engine.class)
    void eachPageIsLoggedOnce(Engine engine) {
        guest(engine);
        logging();
        // MOV RCX, [RBX+0x2000]; MOV [RBX], RAX; MOV [RBX+8], RAX; MOV [RBX+0x1000], RAX; HLT
        guest.code(
                0x48, 0x8b, 0x8b, 0, 0x20, 0, 0, 0x48, 0x89, 0x03, 0x48, 0x89, 0x43, 8, 0x48, 0x89, 0x83, 0, 0x10, 0, 0,
                0xf4);
        register(CpuState.RBX, DATA);

        expect(ExitReason.HLT);

        assertThat(new long[] {logged(511), logged(510), logged(509), logged(508), logged(507)})
                .containsExactly(GuestFixture.GUEST_PML4, GuestFixture.GUEST_PDPT, DATA, DATA + 0x1000, 0);
        assertThat(guest.read(GuestField.PML_INDEX)).isEqualTo(507);
    }

    /** Guest paging decides which right a fetch needs: pages of the fixture are user-mode, whatever the CPL. */
    @ParameterizedTest
    @EnumSource(Engine.class)
    void modeBasedExecuteDecidesByTheLinearAddress(Engine engine) {
        assertThat(fetchIsAllowed(engine, true, USER_EXECUTE | 3)).isTrue();
        assertThat(fetchIsAllowed(engine, true, RWX)).isFalse();
        assertThat(fetchIsAllowed(engine, false, RWX)).isTrue();
        assertThat(fetchIsAllowed(engine, false, USER_EXECUTE | 3)).isFalse();
    }

    private boolean fetchIsAllowed(Engine engine, boolean userPage, long rights) {
        guest(engine);
        secondary(SecondaryControls.MODE_BASED_EXECUTE);
        for (long table = GuestFixture.EPT_ROOT; table < GuestFixture.EPT_PT; table += 0x1000) {
            long entry = guest.machine.memory().readLong(table);
            guest.machine.memory().writeLong(table, entry | USER_EXECUTE);
        }
        guest.machine.memory().writeLong(GuestFixture.GUEST_PDPT, userPage ? 0x87 : 0x83);
        guest.code(0xf4).mapEpt(CODE, CODE | LEAF | rights);
        VmExit exit = guest.enterAndRun();
        if (exit.reason == ExitReason.HLT) {
            return true;
        }
        assertThat(exit.reason).isEqualTo(ExitReason.EPT_VIOLATION);
        assertThat(exit.qualification & 0x7f)
                .as("fetch; R, W, X and user X of the page")
                .isEqualTo(4 | (rights & RWX) << 3 | (rights & USER_EXECUTE) >>> 4);
        return false;
    }

    /** Five levels under four of the guest: the program neither notices nor loses its violations. */
    @ParameterizedTest
    @EnumSource(Engine.class)
    void fiveLevelEptRunsAGuest(Engine engine) {
        guest = GuestFixture.longMode("max", engine);
        guest.machine.memory().writeLong(EPT_PML5, GuestFixture.EPT_ROOT | RWX);
        guest.write(ControlField.EPT_POINTER, Eptp.of(EPT_PML5, 5, true));
        guest.code(STORE);
        register(CpuState.RBX, DATA);
        register(CpuState.RAX, 0x1234);

        expect(ExitReason.HLT);

        assertThat(guest.machine.memory().readLong(DATA)).isEqualTo(0x1234);
        assertThat(guest.machine.memory().readLong(EPT_PML5) & 1 << 8)
                .as("accessed")
                .isNotZero();
        guest.machine.memory().writeLong(EPT_PML5, 0);
        guest.vmx.invept(2, 0);
        guest.write(GuestField.RIP, CODE);
        expect(ExitReason.EPT_VIOLATION);
    }

    /** Sub-page permissions under five levels, for addresses that four levels could reach too. */
    @ParameterizedTest
    @EnumSource(Engine.class)
    void subPagesWorkUnderFiveLevels(Engine engine) {
        guest = GuestFixture.longMode("max", engine);
        guest.machine.memory().writeLong(EPT_PML5, GuestFixture.EPT_ROOT | RWX);
        guest.write(ControlField.EPT_POINTER, Eptp.of(EPT_PML5, 5, false));
        armSubPages(DATA);
        vector(DATA, 1);
        guest.code(STORE);
        register(CpuState.RBX, DATA);
        expect(ExitReason.HLT);

        register(CpuState.RBX, DATA + 0x80);
        guest.write(GuestField.RIP, CODE);
        expect(ExitReason.EPT_VIOLATION);
    }

    private static Arguments write(String name, int place, boolean in64, int... code) {
        return Arguments.of(name, place, in64, code);
    }

    /**
     * Writes that touch bytes on both sides of a boundary: RBX and RDI are place bytes below it, RSP is place bytes
     * above. Not here: CMPXCHG16B, which is aligned, has a test of its own.
     */
    private static Stream<Arguments> instructions() {
        return Stream.of(
                write("MOV [RBX], RAX", 4, true, 0x48, 0x89, 0x03),
                write("MOV [RBX], imm32", 2, true, 0xc7, 0x03, 1, 2, 3, 4),
                write("MOV [RBX], AX", 1, true, 0x66, 0x89, 0x03),
                write("ADD [RBX], RAX", 7, true, 0x48, 0x01, 0x03),
                write("LOCK ADD [RBX], RAX", 1, true, 0xf0, 0x48, 0x01, 0x03),
                write("LOCK INC QWORD [RBX]", 3, true, 0xf0, 0x48, 0xff, 0x03),
                write("XCHG [RBX], RAX", 4, true, 0x48, 0x87, 0x03),
                write("LOCK XADD [RBX], RAX", 4, true, 0xf0, 0x48, 0x0f, 0xc1, 0x03),
                write("LOCK CMPXCHG [RBX], RCX", 4, true, 0xf0, 0x48, 0x0f, 0xb1, 0x0b),
                write("LOCK CMPXCHG8B [RBX]", 4, true, 0xf0, 0x0f, 0xc7, 0x0b),
                write("LOCK BTS DWORD [RBX], 3", 1, true, 0xf0, 0x0f, 0xba, 0x2b, 3),
                write("SHLD [RBX], RAX, 4", 4, true, 0x48, 0x0f, 0xa4, 0x03, 4),
                write("NOT QWORD [RBX]", 4, true, 0x48, 0xf7, 0x13),
                write("MOVBE [RBX], RAX", 4, true, 0x48, 0x0f, 0x38, 0xf1, 0x03),
                write("STOSQ", 4, true, 0x48, 0xab),
                write("REP STOSQ", 4, true, 0xf3, 0x48, 0xab),
                write("MOVSQ", 4, true, 0x48, 0xa5),
                write("PUSH RAX", 4, true, 0x50),
                write("PUSH imm", 4, true, 0x6a, 1),
                write("PUSHF", 4, true, 0x9c),
                write("PUSH [RSI]", 4, true, 0xff, 0x36),
                write("CALL", 4, true, 0xe8, 0, 0, 0, 0),
                write("CALL RCX", 4, true, 0xff, 0xd1),
                write("ENTER 0, 0", 4, true, 0xc8, 0, 0, 0),
                write("SIDT [RBX]", 5, true, 0x0f, 0x01, 0x0b),
                write("SGDT [RBX]", 9, true, 0x0f, 0x01, 0x03),
                write("PUSHA", 14, false, 0x60),
                write("PUSHA", 16, false, 0x60),
                write("PUSH EAX", 2, false, 0x50));
    }

    private static Stream<Arguments> writes() {
        return instructions()
                .flatMap(instruction -> Arrays.stream(Engine.values())
                        .flatMap(engine -> Stream.of(0x80, 0).map(boundary -> {
                            Object[] all = Arrays.copyOf(instruction.get(), 6);
                            all[4] = boundary;
                            all[5] = engine;
                            return Arguments.of(all);
                        })));
    }

    /**
     * spp.md C9 and C20 at the instruction: a write across a boundary of sub-pages, and one across pages, of which one
     * part is denied, stores no byte and changes no register; allowed, it completes.
     */
    @ParameterizedTest(name = "{0}, {1} before 0x{4}, {5}")
    @MethodSource("writes")
    void aWriteWithADeniedPartStoresNothing(
            String name, int place, boolean in64, int[] code, int boundary, Engine engine) {
        long seam = DATA + 0x1000 + boundary;
        long whole = 0x5555_5555_5555_5555L;
        // of two sub-pages or pages, deny the lower, then the upper
        long[] lower = boundary == 0 ? new long[] {whole & ~(1L << 62), whole} : new long[] {whole & ~1L, whole & ~4L};
        long[] upper = boundary == 0 ? new long[] {whole, whole & ~1L} : lower;
        for (int deny = 0; deny < 2; deny++) {
            prepare(place, in64, code, seam, engine);
            vector(DATA, lower[deny]);
            vector(DATA + 0x1000, upper[deny]);
            byte[] before = window(seam);
            long[] registers = Arrays.copyOf(guest.cpu.gpr, 16);

            expect(ExitReason.EPT_VIOLATION);

            assertThat(window(seam)).as("memory").isEqualTo(before);
            long[] after = Arrays.copyOf(guest.cpu.gpr, 16);
            after[CpuState.RSP] = registers[CpuState.RSP];
            assertThat(after).as("registers").isEqualTo(registers);
            assertThat(guest.read(GuestField.RIP)).isEqualTo(CODE);
            assertThat(guest.read(GuestField.RSP)).isEqualTo(stack(place, in64, seam));

            vector(DATA, whole);
            vector(DATA + 0x1000, whole);
            guest.vmx.invept(2, 0);
            expect(ExitReason.HLT);
            assertThat(window(seam)).isNotEqualTo(before);
        }
    }

    private static long stack(int place, boolean in64, long seam) {
        return in64 ? seam + place : seam + place & 0xffff_ffffL;
    }

    private void prepare(int place, boolean in64, int[] code, long seam, Engine engine) {
        guest = in64 ? GuestFixture.longMode("icelake-sp", engine) : GuestFixture.unpaged(engine);
        armSubPages(DATA);
        armSubPages(DATA + 0x1000);
        int[] halting = Arrays.copyOf(code, code.length + 1);
        halting[code.length] = 0xf4;
        guest.code(halting);
        for (int i = 0; i < WINDOW; i += 8) {
            guest.machine.memory().writeLong(seam - WINDOW / 2 + i, 0x1111_1111_1111_1111L);
        }
        long pattern = 0x1111_1111_1111_1111L;
        // CMPXCHG of the right size finds what it expects, and stores something else
        Arrays.fill(guest.cpu.gpr, 0, 16, in64 ? 0x2233_4455_6677_8899L : 0x2233_4455);
        if (isCompare(code)) {
            register(CpuState.RAX, code[1] == 0x0f ? pattern & 0xffff_ffffL : pattern);
            register(CpuState.RDX, pattern & 0xffff_ffffL);
        }
        if (code.length == 2 && code[0] == 0xff && code[1] == 0xd1) {
            register(CpuState.RCX, CODE + code.length);
        } else if (code[0] == 0xf3) {
            register(CpuState.RCX, 1);
        }
        register(CpuState.RSI, DATA + 0x800);
        register(CpuState.RBX, seam - place);
        register(CpuState.RDI, seam - place);
        guest.write((VmcsField) GuestField.RSP, stack(place, in64, seam));
    }

    private static boolean isCompare(int[] code) {
        return code.length > 3 && code[0] == 0xf0 && (code[2] == 0xc7 || code[3] == 0xb1);
    }

    private byte[] window(long seam) {
        byte[] bytes = new byte[WINDOW];
        for (int i = 0; i < WINDOW; i++) {
            bytes[i] = (byte) guest.machine.memory().readByte(seam - WINDOW / 2 + i);
        }
        return bytes;
    }

    /** Its 16 bytes are aligned, so one sub-page decides; it is a write even if the comparison fails. */
    @ParameterizedTest
    @EnumSource(Engine.class)
    void compareAndExchangeOf16BytesIsAWriteInAnyCase(Engine engine) {
        for (boolean equal : new boolean[] {true, false}) {
            guest(engine);
            armSubPages(DATA);
            vector(DATA, 1);
            guest.code(0xf0, 0x48, 0x0f, 0xc7, 0x0b, 0xf4);
            register(CpuState.RBX, DATA + 0x80);
            register(CpuState.RAX, equal ? 0 : 1);
            register(CpuState.RDX, 0);
            register(CpuState.RCX, 9);

            VmExit exit = guest.enterAndRun();

            assertThat(exit.reason).isEqualTo(ExitReason.EPT_VIOLATION);
            assertThat(guest.machine.memory().readLong(DATA + 0x80)).isZero();
            assertThat(guest.machine.memory().readLong(DATA + 0x88)).isZero();
            vector(DATA, 4);
            guest.vmx.invept(2, 0);
            expect(ExitReason.HLT);
            assertThat(guest.machine.memory().readLong(DATA + 0x88)).isEqualTo(equal ? 9 : 0);
        }
    }

    /** The frame of an exception lies in two sub-pages: the instruction that faulted has changed nothing. */
    @ParameterizedTest
    @EnumSource(Engine.class)
    void aDeniedPushOfAnEventTellsTheEvent(Engine engine) {
        guest(engine);
        gate(6);
        armSubPages(DATA);
        vector(DATA, 4);
        guest.code(0x0f, 0x0b).write((VmcsField) GuestField.RSP, DATA + 0x90);

        VmExit exit = guest.enterAndRun();

        assertThat(exit.reason).isEqualTo(ExitReason.EPT_VIOLATION);
        assertThat(exit.gpa).isEqualTo(DATA + 0x78);
        assertThat(exit.idtVectoringInformation).isEqualTo(6 | 3 << 8 | 1 << 31);
        assertThat(guest.read(GuestField.RIP)).isEqualTo(CODE);
        assertThat(guest.read(GuestField.RSP)).isEqualTo(DATA + 0x90);
        assertThat(guest.cpu.pending).isEqualTo(Processor.NOTHING);
    }

    /** EPT type, its "ignore PAT", PCD of the guest's entry, CR0.CD: which loads come from a cache. */
    @ParameterizedTest
    @CsvSource({
        "6, false, false, false, true",
        "0, false, false, false, false",
        "1, false, false, false, false",
        "4, false, false, false, true",
        "6, false, true, false, false",
        "6, true, true, false, true",
        "0, true, false, false, false",
        "6, true, false, true, false",
    })
    void memoryTypesDecideWhatIsCached(
            int eptType, boolean ignorePat, boolean pageCacheDisable, boolean cacheDisable, boolean cached) {
        guest(Engine.CYCLE);
        guest.mapEpt(DATA, DATA | eptType << 3 | (ignorePat ? 1 << 6 : 0) | RWX);
        guest.machine.memory().writeLong(GuestFixture.GUEST_PDPT, 0x87 | (pageCacheDisable ? 0x10 : 0));
        guest.write(GuestField.CR0, 0x8000_0031L | (cacheDisable ? 1 << 30 : 0));
        // MOV RAX, [RBX] twice; HLT
        guest.code(0x48, 0x8b, 0x03, 0x48, 0x8b, 0x03, 0xf4);
        register(CpuState.RBX, DATA);

        expect(ExitReason.HLT);

        assertThat(guest.cpu.cycles.caches().l1d().contains(DATA >>> 6)).isEqualTo(cached);
    }

    /** The guest's page has 1 GiB: what the TLB keeps of it is as large as the EPT page below the address. */
    @ParameterizedTest
    @CsvSource({"0x110000, 0x1000, 2", "0x400000, 0x1000, 1", "0x400000, 0x1ff000, 1", "0x400000, 0x200000, 2"})
    void aTranslationIsAsLargeAsTheSmallerPage(String first, String distance, int walks) {
        guest(Engine.CYCLE);
        // MOV RAX, [RBX]; MOV RAX, [RBX+RCX]; HLT
        guest.code(0x48, 0x8b, 0x03, 0x48, 0x8b, 0x04, 0x0b, 0xf4);
        register(CpuState.RBX, Long.decode(first));
        register(CpuState.RCX, Long.decode(distance));

        expect(ExitReason.HLT);

        assertThat(guest.cpu.cycles.counts().walks())
                .as("the fetch, and the loads")
                .isEqualTo(1 + walks);
    }

    /**
     * spp.md C16: IRET has read its frame and unblocked NMIs; then it sets the accessed flag of the new CS in a GDT
     * that lies in a protected page.
     */
    @ParameterizedTest
    @EnumSource(Engine.class)
    void nmiUnblockingByIretIsToldWithSubPageEvents(Engine engine) {
        guest(engine);
        gate(6);
        guest.machine.memory().writeLong(GuestFixture.GDT + 8, 0x00af_9a00_0000_ffffL);
        long[] frame = {CODE + 2, 8, 2, GuestFixture.STACK, 16};
        for (int i = 0; i < frame.length; i++) {
            guest.machine.memory().writeLong(GuestFixture.STACK + 8 * i, frame[i]);
        }
        armSubPages(GuestFixture.GDT);
        guest.add(ControlField.PIN_CONTROLS, PinControls.NMI_EXITING | PinControls.VIRTUAL_NMIS);
        guest.code(0x48, 0xcf, 0xf4).write(GuestField.INTERRUPTIBILITY_STATE, 8);

        VmExit miss = guest.enterAndRun();
        assertThat(miss.reason).isEqualTo(ExitReason.SPP_RELATED_EVENT);
        assertThat(miss.qualification).as("miss, NMI unblocking").isEqualTo(1 << 11 | 1 << 12);

        vector(GuestFixture.GDT, 0);
        guest.write(GuestField.INTERRUPTIBILITY_STATE, 8);
        VmExit denied = guest.enterAndRun();
        assertThat(denied.reason).isEqualTo(ExitReason.EPT_VIOLATION);
        assertThat(denied.qualification >>> 12 & 1).isOne();

        vector(GuestFixture.GDT, 1);
        guest.vmx.invept(2, 0);
        guest.write(GuestField.INTERRUPTIBILITY_STATE, 8);
        expect(ExitReason.HLT);
        assertThat(guest.machine.memory().readByte(GuestFixture.GDT + 13) & 1)
                .as("accessed")
                .isOne();
    }
}
