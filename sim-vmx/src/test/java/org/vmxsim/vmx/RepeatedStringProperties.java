package org.vmxsim.vmx;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.StopReason;
import org.vmxsim.vmx.control.PinControls;
import org.vmxsim.vmx.control.PrimaryControls;
import org.vmxsim.vmx.control.SecondaryControls;
import org.vmxsim.vmx.control.VmxStatus;
import org.vmxsim.vmx.ept.Eptp;
import org.vmxsim.vmx.exit.ExitReason;
import org.vmxsim.vmx.exit.VmExit;
import org.vmxsim.vmx.vmcs.ControlField;
import org.vmxsim.vmx.vmcs.GuestField;

/**
 * REP MOVS and REP STOS of a guest by block against iteration by iteration (a processor that is run for an instruction
 * at a time), as far as a hypervisor can tell: EPT rights, sub-page permissions, accessed and dirty flags, the page
 * log, preemption timer, monitor trap flag, NMIs, single step, data breakpoints, who observes stores.
 */
class RepeatedStringProperties {
    private static final int PAGE = 0x1000;
    private static final int PAGES = 6;
    private static final long DATA = GuestFixture.DATA;
    private static final int LEAF = 6 << 3;
    private static final int RWX = 7;
    private static final long SPP = 1L << 61;
    private static final int DIRECTION = 1 << 10;
    private static final int TRAP = 1 << 8;
    private static final int ROUNDS = 10;

    private static final class Rig {
        private final Random random;
        private final GuestFixture guest = GuestFixture.longMode("icelake-sp");
        private final List<Long> observed = new ArrayList<>();
        private boolean inGuest;

        Rig(long seed) {
            random = new Random(seed);
            byte[] contents = new byte[PAGES * PAGE];
            random.nextBytes(contents);
            guest.machine.memory().load(DATA, contents);
            guest.cpu.storeObserver = (hpa, sizeBytes) -> observed.add(hpa << 4 | sizeBytes);
            controls();
            subPageTable();
            for (int page = 0; page < PAGES; page++) {
                map(page);
            }
            code();
            registers();
        }

        private void controls() {
            guest.add(ControlField.SECONDARY_PROCESSOR_CONTROLS, SecondaryControls.SUB_PAGE_WRITE);
            guest.write(ControlField.SUB_PAGE_PERMISSION_TABLE_POINTER, GuestFixture.SPPT);
            guest.write(ControlField.EXCEPTION_BITMAP, -1);
            guest.add(ControlField.PIN_CONTROLS, PinControls.NMI_EXITING);
            if (random.nextBoolean()) {
                guest.add(ControlField.SECONDARY_PROCESSOR_CONTROLS, SecondaryControls.PML);
                guest.write(ControlField.PML_ADDRESS, GuestFixture.PML);
                guest.write(GuestField.PML_INDEX, random.nextInt(4));
                guest.write(ControlField.EPT_POINTER, Eptp.of(GuestFixture.EPT_ROOT, 4, true));
            }
            if (random.nextInt(3) == 0) {
                guest.add(ControlField.PIN_CONTROLS, PinControls.PREEMPTION_TIMER);
            }
        }

        private void subPageTable() {
            long table = GuestFixture.SPPT;
            for (int level = 4; level > 1; level--) {
                guest.machine.memory().writeLong(table, table + PAGE | 1);
                table += PAGE;
            }
            for (int page = 0; page < PAGES; page++) {
                long denied = random.nextBoolean() ? 0 : 1L << 2 * random.nextInt(32) | 1L << 2 * random.nextInt(32);
                guest.machine.memory().writeLong(table + 8 * (DATA / PAGE + page), 0x5555_5555_5555_5555L & ~denied);
            }
        }

        /** Any page to any frame of the data, with rights of any kind. */
        private void map(int page) {
            long frame = DATA / PAGE + (random.nextInt(3) == 0 ? random.nextInt(PAGES) : page);
            long rights = LEAF
                    | switch (random.nextInt(8)) {
                        case 0 -> 0;
                        case 1 -> 5;
                        case 2, 3, 4 -> 5 | SPP;
                        default -> RWX;
                    };
            guest.mapEpt(DATA + (long) page * PAGE, frame << 12 | rights);
        }

        private void code() {
            int[] bytes = new int[17];
            for (int i = 0; i < 4; i++) {
                bytes[4 * i] = random.nextBoolean() ? 0x66 : 0x90;
                bytes[4 * i + 1] = 0xf3;
                bytes[4 * i + 2] = random.nextBoolean() ? 0x48 : 0x40;
                bytes[4 * i + 3] = 0xa4 + random.nextInt(2) + 6 * random.nextInt(2);
            }
            bytes[16] = 0xf4;
            guest.code(bytes);
        }

        private void registers() {
            guest.write(GuestField.RFLAGS, 2 | (random.nextBoolean() ? DIRECTION : 0));
            guest.cpu.gpr[CpuState.RAX] = random.nextBoolean() ? 0 : random.nextLong();
            restart();
            if (random.nextInt(4) == 0) {
                guest.cpu.dr[random.nextInt(4)] = place();
                guest.write(GuestField.DR7, 0x4ff | 0x1111_0000L << random.nextInt(2) * 4);
            }
        }

        /** What a hypervisor does between exits that the guest can tell. */
        private void restart() {
            guest.cpu.gpr[CpuState.RCX] = random.nextInt(PAGE) >> random.nextInt(12);
            guest.cpu.gpr[CpuState.RSI] = place();
            guest.cpu.gpr[CpuState.RDI] =
                    random.nextBoolean() ? place() : guest.cpu.gpr[CpuState.RSI] + random.nextInt(33) - 16;
        }

        private long place() {
            long place = DATA + PAGE + random.nextInt((PAGES - 2) * PAGE);
            return random.nextBoolean() ? place : (place & -0x80) + random.nextInt(16) - 8;
        }

        private void beforeEntry() {
            VmExit exit = guest.vmx.exit();
            if (exit.reason == ExitReason.HLT || exit.reason == ExitReason.TRIPLE_FAULT) {
                guest.write(GuestField.RIP, GuestFixture.CODE);
                restart();
            }
            if (random.nextBoolean()) {
                map(random.nextInt(PAGES));
            }
            guest.write(GuestField.PML_INDEX, random.nextInt(4));
            guest.write(GuestField.PREEMPTION_TIMER_VALUE, random.nextInt(40));
            guest.remove(ControlField.PRIMARY_PROCESSOR_CONTROLS, PrimaryControls.MONITOR_TRAP_FLAG);
            int trap = random.nextInt(8);
            if (trap == 0) {
                guest.add(ControlField.PRIMARY_PROCESSOR_CONTROLS, PrimaryControls.MONITOR_TRAP_FLAG);
            }
            long flags = guest.read(GuestField.RFLAGS) & ~TRAP;
            guest.write(GuestField.RFLAGS, trap == 1 ? flags | TRAP : flags);
            guest.write(GuestField.PENDING_DEBUG_EXCEPTIONS, 0);
        }

        private void enter() {
            if (!inGuest) {
                beforeEntry();
                VmxStatus status = guest.vmx.vmlaunch();
                status = status == VmxStatus.SUCCEED ? status : guest.vmx.vmresume();
                assertThat(status).as("%s", guest.vmx.brokenEntryRule()).isEqualTo(VmxStatus.SUCCEED);
                inGuest = true;
            }
        }

        private StopReason run(int instructions) {
            StopReason reason = guest.cpu.run(instructions);
            inGuest = reason == StopReason.BUDGET;
            return reason;
        }

        /** Whatever software on either side can see, and the observer. */
        private String state() {
            byte[] tables = guest.machine.memory().dump(GuestFixture.EPT_ROOT, 4 * PAGE);
            byte[] log = guest.machine.memory().dump(GuestFixture.PML, PAGE);
            byte[] data = guest.machine.memory().dump(DATA, PAGES * PAGE);
            VmExit exit = guest.vmx.exit();
            return "in=" + inGuest + " gpr=" + Arrays.toString(guest.cpu.gpr) + " rip=" + guest.cpu.rip + " guest="
                    + guest.read(GuestField.RIP) + " flags=" + guest.cpu.rflags() + " " + guest.read(GuestField.RFLAGS)
                    + " retired=" + guest.cpu.retired + " dr6=" + guest.cpu.dr[6] + " exit=" + exit.reason + " "
                    + exit.qualification + " " + exit.gpa + " " + exit.gla + " " + exit.interruptionInformation
                    + " pending=" + guest.read(GuestField.PENDING_DEBUG_EXCEPTIONS) + " pml="
                    + guest.read(GuestField.PML_INDEX) + " tables=" + Arrays.hashCode(tables) + " log="
                    + Arrays.hashCode(log) + " data=" + Arrays.hashCode(data) + " observed=" + observed.hashCode();
        }
    }

    @Property(tries = 200)
    void aBlockIsItsIterations(@ForAll long seed) {
        Rig blocks = new Rig(seed);
        Rig iterations = new Rig(seed);
        Random random = new Random(~seed);
        for (int round = 0; round < ROUNDS; round++) {
            blocks.enter();
            iterations.enter();
            int budget = random.nextInt(1 << random.nextInt(14));
            blocks.run(budget);
            stepTo(iterations, blocks);
            assertThat(iterations.state()).isEqualTo(blocks.state());
            if (random.nextInt(3) == 0) {
                blocks.guest.cpu.pins.nmi();
                iterations.guest.cpu.pins.nmi();
            }
        }
    }

    private static void stepTo(Rig iterations, Rig blocks) {
        while (iterations.inGuest && iterations.guest.cpu.retired < blocks.guest.cpu.retired) {
            long before = iterations.guest.cpu.retired;
            iterations.run(1);
            assertThat(iterations.guest.cpu.retired - before).isBetween(0L, 1L);
        }
        for (int i = 0; i < 8 && iterations.inGuest && !iterations.state().equals(blocks.state()); i++) {
            iterations.run(1);
        }
    }
}
