package org.vmxsim.mmu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.mmu.track.TrackMode;
import org.vmxsim.mmu.view.ViewAccess;
import org.vmxsim.mmu.view.ViewAccessHandler.Answer;

/** What the caller of a vCPU can have done about an access that a view denies. */
class RestrictedAccessTest {
    private static final int NOTHING = 0;
    private static final int EXECUTE_ONLY = 4;
    private static final int NO_WRITES = 5;
    private static final int NO_FETCHES = 3;
    private static final long FIRST = 0x20_0000;
    private static final long SECOND = 0x21_0000;
    private static final long DEVICE = 0x3000_0000;
    private static final VcpuExit.Debug STEPPED_MOVS = new VcpuExit.Debug(1, Guest.CODE + 1);

    private final Guest guest = new Guest();

    private void restrict(long gpa, int permissions) {
        assertThat(guest.vm.views().access(0, gpa >>> 12, permissions).isOk()).isTrue();
    }

    private ViewAccess restricted(long gpa, int access) {
        ViewAccess denied = guest.expect(VcpuExit.Restricted.class).access();
        assertThat(denied.gpa()).isEqualTo(gpa);
        assertThat(denied.access()).isEqualTo(access);
        return denied;
    }

    private long dword(long gpa) {
        return guest.readLong(gpa) & 0xffff_ffffL;
    }

    /** movsd from FIRST to SECOND; mov eax, [esi]; hlt. */
    private void move() {
        guest.store(FIRST, 1, 2, 3, 4, 5, 6, 7, 8);
        guest.code(0xa5, 0x8b, 0x06, 0xf4);
        guest.set(CpuState.RSI, FIRST);
        guest.set(CpuState.RDI, SECOND);
    }

    @Test
    void readsComeFromWhatTheCallerGives() {
        guest.store(FIRST, 1, 2, 3, 4, 5, 6, 7, 8);
        guest.code(0x8b, 0x06, 0x8b, 0x1e, 0xf4); // mov eax, [esi]; mov ebx, [esi]; hlt
        guest.set(CpuState.RSI, FIRST + 1);
        restrict(FIRST, EXECUTE_ONLY);
        restricted(FIRST + 1, 1);
        guest.vcpu.allowOnce(FIRST + 1, new byte[] {0x11, 0x22, 0x33, 0x44, 0x55}, false);
        restricted(FIRST + 1, 1);
        assertThat(guest.get(CpuState.RAX)).isEqualTo(0x4433_2211);
        guest.vcpu.allowOnce();
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.get(CpuState.RBX)).as("given once").isEqualTo(0x0504_0302);
        assertThat(dword(FIRST)).isEqualTo(0x0403_0201);
    }

    @Test
    void bytesOutsideComeFromMemory() {
        guest.store(FIRST, 1, 2, 3, 4, 5, 6, 7, 8);
        restrict(FIRST, EXECUTE_ONLY);
        // Where 99 aa is, and what a load of 4 bytes at FIRST finds.
        long[][] rows = {
            {FIRST - 2, 0x0403_0201},
            {FIRST - 1, 0x0403_02aa},
            {FIRST + 1, 0x04aa_9901},
            {FIRST + 3, 0x9903_0201L},
            {FIRST + 4, 0x0403_0201}
        };
        for (long[] row : rows) {
            guest.code(0x8b, 0x06, 0xf4);
            guest.set(CpuState.RSI, FIRST);
            restricted(FIRST, 1);
            guest.vcpu.allowOnce(row[0], new byte[] {(byte) 0x99, (byte) 0xaa}, false);
            guest.expect(VcpuExit.Hlt.class);
            assertThat(guest.get(CpuState.RAX)).as("data at %x", row[0]).isEqualTo(row[1]);
        }
    }

    /** The guest's own arithmetic is on what was given; what it writes goes to memory. */
    @Test
    void anUpdateReadsWhatIsGivenAndWritesToMemory() {
        guest.code(0x83, 0x06, 0x05, 0x8b, 0x06, 0xf4); // add dword [esi], 5; mov eax, [esi]; hlt
        guest.set(CpuState.RSI, FIRST);
        restrict(FIRST, NOTHING);
        restricted(FIRST, 3);
        guest.vcpu.allowOnce(FIRST, new byte[] {0x10, 0, 0, 0}, false);
        restricted(FIRST, 1);
        assertThat(dword(FIRST)).isEqualTo(0x15);
        guest.vcpu.allowOnce();
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.get(CpuState.RAX)).isEqualTo(0x15);
    }

    @Test
    void whatWasAllowedAndGivenHoldsUntilTheInstructionIsDone() {
        restrict(FIRST, EXECUTE_ONLY);
        restrict(SECOND, NO_WRITES);
        move();
        restricted(FIRST, 1);
        guest.vcpu.allowOnce(FIRST, new byte[] {9, 8}, false);
        restricted(SECOND, 2);
        assertThat(guest.vcpu.rip()).isEqualTo(Guest.CODE);
        assertThat(dword(SECOND)).isZero();
        guest.vcpu.allowOnce();
        restricted(FIRST + 4, 1);
        assertThat(dword(SECOND)).isEqualTo(0x0403_0809);
        assertThat(guest.vcpu.rip()).isEqualTo(Guest.CODE + 1);
    }

    @Test
    void theProcessorMakesTheAccessAndComesBackBehindIt() {
        guest.code(0x89, 0x06, 0x40, 0x89, 0x06, 0xf4); // mov [esi], eax; inc eax; mov [esi], eax; hlt
        guest.set(CpuState.RSI, FIRST);
        guest.set(CpuState.RAX, 5);
        restrict(FIRST, NO_WRITES);
        restricted(FIRST, 2);
        long before = guest.vcpu.processor().retired;
        guest.vcpu.stepOnce();
        assertThat(guest.run()).isEqualTo(new VcpuExit.Debug(1, Guest.CODE + 2));
        assertThat(guest.vcpu.processor().retired - before)
                .as("by the processor")
                .isOne();
        assertThat(dword(FIRST)).isEqualTo(5);
        restricted(FIRST, 2);
        assertThat(guest.vcpu.rip()).isEqualTo(Guest.CODE + 3);
        assertThat(dword(FIRST)).isEqualTo(5);
        // Nothing is left of the step.
        guest.vm.views().access(0, FIRST >>> 12, 7);
        guest.expect(VcpuExit.Hlt.class);
        assertThatThrownBy(guest.vcpu::stepOnce).isInstanceOf(IllegalArgumentException.class);
    }

    /**
     * Two pages, each decided about in either way: what was decided first still holds when the second is asked about.
     */
    @Test
    void decisionsAboutOneInstructionAddUp() {
        restrict(FIRST, EXECUTE_ONLY);
        restrict(SECOND, NO_WRITES);
        for (int how = 0; how < 4; how++) {
            guest.store(SECOND, 0, 0, 0, 0);
            move();
            restricted(FIRST, 1);
            decide((how & 1) != 0);
            restricted(SECOND, 2);
            assertThat(dword(SECOND)).isZero();
            decide((how & 2) != 0);
            if (how != 0) {
                assertThat(guest.run()).as("case %d", how).isEqualTo(STEPPED_MOVS);
            }
            restricted(FIRST + 4, 1);
            assertThat(guest.vcpu.rip()).isEqualTo(Guest.CODE + 1);
            assertThat(dword(SECOND)).isEqualTo(0x0403_0201);
        }
    }

    private void decide(boolean step) {
        if (step) {
            guest.vcpu.stepOnce();
        } else {
            guest.vcpu.allowOnce();
        }
    }

    @Test
    void aStepThatIsGivenUpIsNotToldOf() {
        restrict(FIRST, EXECUTE_ONLY);
        restrict(SECOND, NO_WRITES);
        move();
        restricted(FIRST, 1);
        guest.vcpu.stepOnce();
        restricted(SECOND, 2);
        restrict(FIRST, 7);
        restrict(SECOND, 7);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.get(CpuState.RAX)).isEqualTo(0x0807_0605);
    }

    /** Emulated, an instruction that asks for an event returns behind itself, as on the processor. */
    @ParameterizedTest
    @CsvSource({"0xcc, 0x90, 3, 1", "0xcd, 0x21, 0x21, 2", "0xce, 0x90, 4, 1", "0xf1, 0x90, 1, 1"})
    void anEmulatedInstructionThatAsksForAnEventDoesSoOnce(int opcode, int next, int vector, int length) {
        guest.code(0xb8, 0xff, 0xff, 0xff, 0x7f, 0x40, opcode, next, 0xf4); // mov eax, 0x7fffffff; inc eax; ...; hlt
        guest.store(0x1800, 0x46, 0xcf); // inc esi; iret
        guest.gate(vector, 0x1800);
        guest.set(CpuState.RSI, 0);
        guest.set(CpuState.RSP, FIRST + 0x800);
        List<ViewAccess> asked = new ArrayList<>();
        guest.vm.views().onDenied(access -> {
            asked.add(access);
            return Answer.CONTINUE;
        });
        restrict(Guest.CODE, NO_FETCHES);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.get(CpuState.RSI)).isOne();
        assertThat(asked).hasSizeGreaterThan(4).allMatch(access -> access.access() == 4);
        assertThat(dword(FIRST + 0x7f4)).as("EIP").isEqualTo(Guest.CODE + 6 + length);
    }

    /** A page directory that may not be read has everything emulated, and nothing there can be allowed. */
    @ParameterizedTest
    @CsvSource({"0xcc, 0x90, 3, 1", "0xcd, 0x21, 0x21, 2"})
    void whereNothingCanBeAllowedTheEventIsInjected(int opcode, int next, int vector, int length) {
        guest.store(SECOND, 0xa3, 0, 0, 0); // 4 MiB at 0, writable
        guest.code(opcode, next, 0xf4);
        guest.store(0x1800, 0x46, 0xf4); // inc esi; hlt
        guest.gate(vector, 0x1800);
        CpuState state = guest.vcpu.state();
        state.gpr[CpuState.RSI] = 0;
        state.cr4 = 0x10;
        state.cr3 = SECOND;
        state.cr0 |= 0x8000_0000L;
        guest.vcpu.setState(state);
        guest.vm.pageTracking().add(guest.vm.slots().at(SECOND >>> 12), SECOND >>> 12, TrackMode.PREREAD);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.get(CpuState.RSI)).isOne();
        assertThat(dword(0x8000 - 12)).as("EIP").isEqualTo(Guest.CODE + length);
    }

    /** The walk to the IDT reads paging structures, though it is part of a delivery. */
    @Test
    void aWalkOfADeliveryIsAWalk() {
        guest.code(0xcd, 0x21, 0xf4); // int 0x21; hlt
        guest.store(0x1800, 0x46, 0xf4); // inc esi; hlt
        guest.gate(0x21, 0x1800);
        guest.store(SECOND, 0xa3, 0, 0, 0, 0x23, 0, 0x20, 0); // 4 MiB at 0, and the table FIRST at 4 MiB
        guest.store(FIRST + 4 * 2, 0x23, 0x20, 0, 0); // the IDT's page
        CpuState state = guest.vcpu.state();
        state.gpr[CpuState.RSI] = 0;
        state.idtrBase = 0x40_2000;
        state.cr4 = 0x10;
        state.cr3 = SECOND;
        state.cr0 |= 0x8000_0000L;
        guest.vcpu.setState(state);
        restrict(FIRST, EXECUTE_ONLY);
        ViewAccess walk = guest.expect(VcpuExit.Restricted.class).access();
        assertThat(walk.source()).isEqualTo(ViewAccess.Source.PAGING_STRUCTURE);
        assertThat(walk.gpa() & ~0xfffL).isEqualTo(FIRST);
        guest.vcpu.allowOnce();
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.get(CpuState.RSI)).isOne();
    }

    /** A breakpoint whose delivery was held up is delivered once, behind its instruction. */
    @Test
    void aBreakpointOntoARestrictedStackIsDeliveredOnce() {
        guest.code(0xcc, 0xf4); // int3; hlt
        guest.store(0x1800, 0x46, 0xcf); // inc esi; iret
        guest.gate(3, 0x1800);
        guest.set(CpuState.RSI, 0);
        guest.set(CpuState.RSP, FIRST + 0x800);
        restrict(FIRST, NO_WRITES);
        guest.expect(VcpuExit.Restricted.class);
        restrict(FIRST, 7);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.get(CpuState.RSI)).isOne();
        assertThat(dword(FIRST + 0x7f4)).as("EIP").isEqualTo(Guest.CODE + 1);
    }

    /** An event that is delivered over a restricted table onto a restricted stack needs both at once. */
    @Test
    void aDeliveryOverTwoPagesComesToAnEnd() {
        for (boolean step : new boolean[] {false, true}) {
            guest.code(0xcd, 0x21, 0xf4); // int 0x21; hlt
            guest.store(0x1800, 0x90, 0xf4);
            guest.gate(0x21, 0x1800);
            guest.set(CpuState.RSP, FIRST + 0x800);
            restrict(FIRST, NO_WRITES);
            restrict(Guest.IDT, EXECUTE_ONLY);
            List<ViewAccess> asked = new ArrayList<>();
            VcpuExit exit = guest.run();
            while (exit instanceof VcpuExit.Restricted restricted && asked.size() < 10) {
                asked.add(restricted.access());
                assertThat(restricted.access().source()).isEqualTo(ViewAccess.Source.EVENT_DELIVERY);
                decide(step);
                exit = guest.run();
            }
            assertThat(asked).extracting(ViewAccess::gpa).containsExactly(Guest.IDT + 8 * 0x21, FIRST + 0x7fc);
            if (step) {
                assertThat(exit).isEqualTo(new VcpuExit.Debug(1, 0x1800));
                exit = guest.run();
            }
            assertThat(exit).isInstanceOf(VcpuExit.Hlt.class);
            assertThat(dword(FIRST + 0x7f4)).as("EIP").isEqualTo(Guest.CODE + 2);
            restrict(Guest.IDT, 7);
        }
    }

    /** rep movsb of 3 bytes, twice. */
    private void repeat() {
        guest.store(FIRST, 1, 2, 3, 4, 5, 6);
        // mov ecx, 3; rep movsb; mov ecx, 3; rep movsb; hlt
        guest.code(0xb9, 3, 0, 0, 0, 0xf3, 0xa4, 0xb9, 3, 0, 0, 0, 0xf3, 0xa4, 0xf4);
        guest.set(CpuState.RSI, FIRST);
        guest.set(CpuState.RDI, SECOND - 2);
        restrict(SECOND - 0x1000, NO_WRITES);
        restrict(SECOND, NO_WRITES);
    }

    @Test
    void eachIterationIsAskedAbout() {
        repeat();
        int asked = 0;
        VcpuExit exit = guest.run();
        for (; exit instanceof VcpuExit.Restricted; exit = guest.run()) {
            asked++;
            guest.vcpu.allowOnce();
        }
        assertThat(exit).isInstanceOf(VcpuExit.Hlt.class);
        assertThat(asked).isEqualTo(6);
    }

    @Test
    void allIterationsAreDoneByOnePermission() {
        repeat();
        restricted(SECOND - 2, 2);
        guest.vcpu.allowOnce(FIRST + 1, new byte[] {9}, true);
        restricted(SECOND + 1, 2);
        assertThat(guest.vcpu.rip()).isEqualTo(Guest.CODE + 12);
        assertThat(guest.get(CpuState.RCX)).isEqualTo(3);
        assertThat(guest.readLong(SECOND - 2) & 0xff_ffffL).isEqualTo(0x03_0901);
        // The same where the source is restricted too.
        restrict(FIRST, EXECUTE_ONLY);
        guest.vcpu.allowOnce(FIRST + 4, new byte[] {9}, true);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.readLong(SECOND + 1) & 0xff_ffffL).isEqualTo(0x06_0904);
    }

    @Test
    void thePermissionEndsWithTheInstruction() {
        // L: mov ecx, 2; rep movsb; jmp L
        guest.code(0xb9, 2, 0, 0, 0, 0xf3, 0xa4, 0xeb, 0xf7);
        guest.set(CpuState.RSI, FIRST);
        guest.set(CpuState.RDI, SECOND);
        restrict(SECOND, NO_WRITES);
        for (int i = 0; i < 3; i++) {
            restricted(SECOND + 2 * i, 2);
            guest.vcpu.allowOnce(0, new byte[0], true);
        }
        // An interrupt in between: what its handler does, and the iterations behind it, are asked about.
        restricted(SECOND + 6, 2);
        guest.store(0x1800, 0x60, 0xaa, 0x61, 0xcf); // pusha; stosb; popa; iret
        guest.gate(0x21, 0x1800);
        CpuState state = guest.vcpu.state();
        state.rflags(state.rflags() | 1 << 9);
        guest.vcpu.setState(state);
        guest.vcpu.allowOnce(0, new byte[0], true);
        assertThat(guest.vcpu.run(0)).isInstanceOf(VcpuExit.Intr.class);
        guest.vcpu.interrupt(0x21);
        restricted(SECOND + 7, 2);
        assertThat(guest.vcpu.rip()).isEqualTo(0x1801);
        guest.vcpu.allowOnce();
        restricted(SECOND + 7, 2);
        assertThat(guest.vcpu.rip()).isEqualTo(Guest.CODE + 5);
    }

    /** What the hypervisor does in the guest's place ends a step as the processor's monitor trap flag does. */
    @Test
    void aStepEndsBehindAnInstructionOfTheHypervisor() {
        guest.store(FIRST, 0x0f, 0xa2, 0x40, 0x0f, 0xa2, 0xf4); // cpuid; inc eax; cpuid; hlt
        guest.code(0xff, 0xe6); // jmp esi
        guest.set(CpuState.RSI, FIRST);
        restrict(FIRST, NO_FETCHES);
        restricted(FIRST, 4);
        guest.vcpu.stepOnce();
        assertThat(guest.run()).isEqualTo(new VcpuExit.Debug(1, FIRST + 2));
        restricted(FIRST + 2, 4);
        List<Long> fetches = new ArrayList<>();
        guest.vm.views().onDenied(access -> {
            fetches.add(access.gpa());
            return Answer.STEP;
        });
        guest.expect(VcpuExit.Hlt.class);
        assertThat(fetches).containsExactly(FIRST + 2, FIRST + 3, FIRST + 5);
    }

    @Test
    void aStepThatComesBackForADeviceIsToldOfWhenItIsDone() {
        restrict(FIRST, EXECUTE_ONLY);
        move();
        guest.set(CpuState.RDI, DEVICE);
        restricted(FIRST, 1);
        guest.vcpu.stepOnce();
        assertThat(guest.run()).isEqualTo(new VcpuExit.Mmio(DEVICE, 4, true, 0x0403_0201));
        assertThat(guest.run()).isEqualTo(STEPPED_MOVS);
        restricted(FIRST + 4, 1);
    }

    @Test
    void aStepThatHaltsIsToldOfBehindIt() {
        guest.store(FIRST, 0xf4, 0xf4);
        guest.code(0xff, 0xe6);
        guest.set(CpuState.RSI, FIRST);
        restrict(FIRST, NO_FETCHES);
        restricted(FIRST, 4);
        guest.vcpu.stepOnce();
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.run()).isEqualTo(new VcpuExit.Debug(1, FIRST + 1));
        restricted(FIRST + 1, 4);
    }
}
