package org.vmxsim.mmu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.mmu.guest.EventQueue;
import org.vmxsim.mmu.guest.PendingException;
import org.vmxsim.mmu.intercept.InterceptListener;
import org.vmxsim.mmu.trace.VcpuStatistics;
import org.vmxsim.vmx.exit.ExitReason;

/** NMIs and exceptions that the hypervisor injects, seen by handlers in the guest. */
class EventInjectionTest {
    private static final int HANDLERS = 0x1800;
    private static final long RF = 1 << 16;

    private final Guest guest = new Guest();

    /** Code at {@link Guest#CODE}; interrupt gates for vectors 0 to 31, to handlers of 32 bytes each. */
    private void boot(int... code) {
        guest.code(code);
        for (int vector = 0; vector < 32; vector++) {
            int handler = HANDLERS + 32 * vector;
            guest.gate(vector, handler);
        }
    }

    private void handler(int vector, int... code) {
        guest.store(HANDLERS + 32 * vector, code);
    }

    private long stack(int index) {
        return guest.readLong(guest.get(CpuState.RSP) + 8 * (index / 2)) >>> 32 * (index % 2) & 0xffff_ffffL;
    }

    @Test
    void anNmiIsTakenWithInterruptsOffAndTheNextAfterIret() {
        boot(0x90, 0x90, 0xf4);
        handler(2, 0x46, 0x90, 0x90, 0xcf); // inc esi; nop; nop; iret
        guest.vcpu.events().nmi();
        guest.vcpu.events().nmi();
        guest.vcpu.events().nmi();
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.get(CpuState.RSI)).as("two wait, the third is lost").isEqualTo(2);
        VcpuStatistics.Snapshot counts = guest.vcpu.statistics().snapshot();
        assertThat(counts.exits(ExitReason.NMI_WINDOW)).isEqualTo(1);
    }

    @Test
    void inItsHandlerOneNmiWaits() {
        boot(0x90, 0xf4);
        handler(2, 0x46, 0xe6, 0x80, 0xcf); // inc esi; out 0x80, al; iret
        guest.vcpu.events().nmi();
        guest.expect(VcpuExit.Io.class);
        guest.vcpu.events().nmi();
        guest.vcpu.events().nmi();
        guest.expect(VcpuExit.Io.class);
        assertThat(guest.get(CpuState.RSI)).isEqualTo(2);
        assertThat(guest.vcpu.state().interruptibility & CpuState.BLOCKING_BY_NMI)
                .as("virtual-NMI blocking")
                .isNotZero();
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.get(CpuState.RSI)).isEqualTo(2);
        assertThat(guest.vcpu.state().interruptibility & CpuState.BLOCKING_BY_NMI)
                .isZero();
    }

    @Test
    void anNmiWakesAHaltedGuestAndTheShadowOfStiDoesNotHoldIt() {
        boot(0xf4, 0xfb, 0xf4, 0xf4); // hlt; sti; hlt; hlt
        handler(2, 0x46, 0xcf);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.vcpu.run(1)).isEqualTo(new VcpuExit.Intr());
        assertThat(guest.vcpu.state().interruptibility).isEqualTo(CpuState.BLOCKING_BY_STI);
        guest.vcpu.events().nmi();
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.get(CpuState.RSI)).isOne();
    }

    @Test
    void anExceptionArrivesAtTheInstructionWithItsErrorCodeAndRf() {
        boot(0x40, 0xf4); // inc eax; hlt
        handler(13, 0xf4);
        guest.vcpu.injectException(13, 0x1234);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(stack(0)).as("error code").isEqualTo(0x1234);
        assertThat(stack(1)).as("EIP").isEqualTo(Guest.CODE);
        assertThat(stack(3) & RF).as("RF").isEqualTo(RF);
        assertThat(guest.get(CpuState.RAX)).as("not executed").isEqualTo(0x2bad_b002L);
    }

    @Test
    void aPageFaultSetsCr2() {
        boot(0x40);
        handler(14, 0xf4);
        guest.vcpu.injectPageFault(2, 0xdead_b000L);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(stack(0)).isEqualTo(2);
        assertThat(guest.vcpu.state().cr2).isEqualTo(0xdead_b000L);
    }

    /** SDM table "Conditions for Generating a Double Fault", as KVM classes exceptions. */
    @Test
    void twoExceptionsDoubleOrTheSecondReplacesTheFirst() {
        int[][] cases = {
            {13, 13, 8},
            {13, 14, 14},
            {14, 13, 8},
            {14, 14, 8},
            {0, 11, 8},
            {6, 13, 13},
            {13, 6, 6},
            {14, 6, 6},
            {6, 14, 14},
            {10, 12, 8},
            {1, 0, 0}
        };
        for (int[] two : cases) {
            boot(0x40);
            for (int vector = 0; vector < 32; vector++) {
                handler(vector, 0xb8, vector, 0, 0, 0, 0xf4); // mov eax, vector; hlt
            }
            guest.vcpu.injectException(two[0], pushes(two[0]) ? 0 : -1);
            guest.vcpu.injectException(two[1], pushes(two[1]) ? 0 : -1);
            guest.expect(VcpuExit.Hlt.class);
            assertThat(guest.get(CpuState.RAX)).as("%d then %d", two[0], two[1]).isEqualTo(two[2]);
        }
    }

    private static boolean pushes(int vector) {
        return vector == 8 || vector >= 10 && vector <= 14 || vector == 17 || vector == 21;
    }

    @Test
    void anExceptionOnADoubleFaultIsATripleFault() {
        boot(0x40);
        guest.vcpu.injectException(8, 0);
        guest.vcpu.injectException(6, -1);
        guest.expect(VcpuExit.Shutdown.class);
    }

    @Test
    void aVectorThatIsNoExceptionIsRefused() {
        assertThatThrownBy(() -> guest.vcpu.injectException(2, -1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> guest.vcpu.injectException(32, -1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> guest.vcpu.injectException(13, -1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> guest.vcpu.injectException(6, 0)).isInstanceOf(IllegalArgumentException.class);
        // SDM "VM-Entry Control Fields": bits 31:16 of the error code must be 0.
        assertThatThrownBy(() -> guest.vcpu.injectException(13, 0x1_0000)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> guest.vcpu.injectPageFault(0x1_0000, 0)).isInstanceOf(IllegalArgumentException.class);
        int[][] software = {{1, 0}, {3, 16}, {6, 1}, {2, 2}};
        for (int[] row : software) {
            assertThatThrownBy(() -> guest.vcpu.events().softwareException(row[0], row[1]))
                    .isInstanceOf(IllegalArgumentException.class);
        }
        assertThat(guest.vcpu.events().pending()).isNull();
    }

    /** SDM "Checks on VM-Entry Control Fields", typed again: which vectors push an error code where there is no #CP. */
    @Test
    void whatCanBeInjectedIsWhatTheTableSays() {
        int[] pushing = {8, 10, 11, 12, 13, 14, 17};
        for (int vector = -1; vector < 40; vector++) {
            int wanted = vector;
            boolean pushes = IntStream.of(pushing).anyMatch(each -> each == wanted);
            boolean exists = vector >= 0 && vector < 32 && vector != 2;
            assertThat(EventQueue.pushesErrorCode(vector)).isEqualTo(pushes);
            assertThat(EventQueue.isException(vector, -1)).isEqualTo(exists && !pushes);
            assertThat(EventQueue.isException(vector, 0xffff)).isEqualTo(pushes);
            assertThat(EventQueue.isException(vector, 0x1_0000)).isFalse();
        }
    }

    /** The handler of an instruction's own exception returns behind it, without RF. */
    @Test
    void aSoftwareExceptionIsThatOfTheInstruction() {
        int[][] rows = {{3, 1, 6}, {3, 2, 6}, {4, 1, 6}, {1, 1, 5}};
        for (int[] row : rows) {
            boot(0x90, 0x90, 0xf4);
            handler(row[0], 0xf4);
            guest.vcpu.events().softwareException(row[0], row[1]);
            assertThat(guest.vcpu.events().pending())
                    .isEqualTo(new PendingException(row[0], row[2], false, 0, guest.vcpu.state().cr2));
            guest.expect(VcpuExit.Hlt.class);
            assertThat(stack(0)).as("EIP").isEqualTo(Guest.CODE + row[1]);
            assertThat(stack(2) & RF).as("RF").isZero();
            assertThat(guest.vcpu.events().pending()).isNull();
        }
    }

    /** A breakpoint that came to the caller is the guest's as if it had never come. */
    @Test
    void aBreakpointThatTheCallerGivesBackIsTheGuests() {
        boot(0x66, 0xcc, 0xf4); // int3 with a prefix
        handler(3, 0xf4);
        guest.vcpu.softwareBreakpoints(true);
        assertThat(guest.run()).isEqualTo(new VcpuExit.Debug(3, Guest.CODE));
        assertThat(guest.vcpu.lastVmExit().instructionLengthBytes).isEqualTo(2);
        guest.vcpu.events().softwareException(3, guest.vcpu.lastVmExit().instructionLengthBytes);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(stack(0)).isEqualTo(Guest.CODE + 2);
    }

    @Test
    void whatWillBeInjectedIsToldBeforeEntryUntilItMay() {
        boot(0x40);
        handler(14, 0xf4);
        List<PendingException> told = new ArrayList<>();
        guest.vcpu.intercepts().listener(new InterceptListener() {
            @Override
            public Answer injecting(int vcpu, PendingException exception) {
                told.add(exception);
                return told.size() < 3 ? Answer.HOLD : Answer.CONTINUE;
            }
        });
        guest.vcpu.injectException(13, 0x18);
        guest.expect(VcpuExit.Held.class);
        guest.vcpu.injectPageFault(2, 0xdead_b000L);
        guest.expect(VcpuExit.Held.class);
        assertThat(guest.vcpu.rip()).isEqualTo(Guest.CODE);
        guest.expect(VcpuExit.Hlt.class);
        PendingException pageFault = new PendingException(14, 3, true, 2, 0xdead_b000L);
        assertThat(told).extracting(PendingException::vector).containsExactly(13, 14, 14);
        assertThat(told.get(2)).isEqualTo(pageFault);
        assertThat(stack(0)).isEqualTo(2);
    }

    /** A delivery that is interrupted and repeated is one injection. */
    @Test
    void anInterruptedDeliveryIsNotToldAgain() {
        boot(0x40);
        handler(13, 0xf4);
        List<Integer> told = new ArrayList<>();
        guest.vcpu.intercepts().listener(new InterceptListener() {
            @Override
            public Answer injecting(int vcpu, PendingException exception) {
                told.add(exception.vector());
                return Answer.CONTINUE;
            }
        });
        guest.vm.views().access(0, 0x8000 - 0x1000 >>> 12, 5);
        guest.vcpu.injectException(13, 0);
        guest.expect(VcpuExit.Restricted.class);
        assertThat(guest.vcpu.events().pending().vector()).isEqualTo(13);
        guest.vcpu.allowOnce();
        guest.expect(VcpuExit.Hlt.class);
        assertThat(told).containsExactly(13);
        guest.vcpu.injectException(13, 0);
        guest.vcpu.injectException(13, 0);
        assertThat(guest.vcpu.events().pending())
                .extracting(PendingException::vector)
                .isEqualTo(8);
    }
}
