package org.vmxsim.core.cet;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Label;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Size;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.time.TimingPreset;

/**
 * Random sequences of calls, returns, interrupts and fast calls, against a shadow stack as a list of what has not
 * returned yet. One instruction at a time, written where RIP stands.
 */
@Label("Shadow stacks of random call and return sequences")
class ShadowStackProperties {
    enum Action {
        CALL,
        CALL_REGISTER,
        CALL_NEXT,
        RETURN,
        WRONG_RETURN,
        FAR_CALL,
        INTERRUPT,
        FAULT
    }

    /** One stack frame: how it returns, to where, from which privilege level, and what SSP was. */
    private record Frame(char kind, long rip, int cpl, long ssp) {}

    private static final long PLACES = 0x60000;
    private static final int VECTOR = 0x30;

    private final Deque<Frame> frames = new ArrayDeque<>();
    private CetMachine machine;
    private int step;

    @Property(tries = 150)
    @Label("SSP, return addresses and tokens are those of the naive model, in both engines")
    void agree(@ForAll @Size(min = 1, max = 60) List<Action> actions, @ForAll boolean user, @ForAll boolean timed) {
        machine = new CetMachine().enable(1, 1).privilege(user ? 3 : 0);
        frames.clear();
        step = 0;
        if (timed) {
            machine.machine.useCycleEngine(TimingPreset.named("ideal"));
        }
        machine.cpu.rip = PLACES;
        for (Action action : actions) {
            perform(action);
            compare();
        }
        while (!frames.isEmpty()) {
            perform(Action.RETURN);
            compare();
        }
    }

    /** A place for code where nothing has been before; interrupts have theirs in the IDT. */
    private long place() {
        step++;
        return PLACES + 32L * step;
    }

    private void execute(String code) {
        machine.put(machine.cpu.rip, code).run(1);
    }

    private void entered(char kind, int length, long target) {
        frames.push(new Frame(kind, rip + length, cpl, ssp));
        assertThat(machine.cpu.rip).isEqualTo(target);
    }

    private long rip;
    private int cpl;
    private long ssp;

    private void perform(Action action) {
        rip = machine.cpu.rip;
        cpl = machine.cpu.cpl;
        ssp = machine.cpu.ssp;
        switch (action) {
            case CALL -> {
                long target = place();
                long distance = target - rip - 5;
                execute(String.format(
                        "e8 %02x %02x %02x %02x",
                        distance & 0xff, distance >> 8 & 0xff, distance >> 16 & 0xff, distance >> 24 & 0xff));
                entered('n', 5, target);
            }
            case CALL_REGISTER -> {
                long target = place();
                machine.cpu.gpr[CpuState.RAX] = target;
                execute("ff d0");
                entered('n', 2, target);
            }
            case CALL_NEXT -> {
                execute("e8 00 00 00 00");
                machine.cpu.gpr[CpuState.RSP] += 8;
                assertThat(machine.cpu.ssp).isEqualTo(ssp);
            }
            case FAR_CALL -> {
                long target = place();
                machine.cpu.gpr[CpuState.RBX] = CetMachine.DATA;
                machine.memory.writeLong(CetMachine.DATA, target);
                machine.memory.writeLong(CetMachine.DATA + 8, cpl == 3 ? CetMachine.USER_CODE : CetMachine.KERNEL_CODE);
                execute("48 ff 1b");
                entered('f', 3, target);
            }
            case INTERRUPT -> interrupt("cd 30", VECTOR);
            case FAULT -> interrupt("0f 0b", 6);
            case RETURN -> giveBack();
            case WRONG_RETURN -> wrong();
        }
    }

    private void interrupt(String code, int vector) {
        execute(code);
        entered('i', vector == VECTOR ? 2 : 0, CetMachine.handler(vector));
        machine.cpu.rip = place();
    }

    private void giveBack() {
        if (frames.isEmpty()) {
            return;
        }
        Frame frame = frames.pop();
        execute(frame.kind == 'n' ? "c3" : frame.kind == 'f' ? "48 cb" : "48 cf");
        assertThat(machine.cpu.rip).isEqualTo(frame.rip);
        assertThat(machine.cpu.cpl).isEqualTo(frame.cpl);
        assertThat(machine.cpu.ssp).isEqualTo(frame.ssp);
        machine.cpu.rip = place();
    }

    /** A return to another address: #CP, whose handler puts the address right and comes back to the return. */
    private void wrong() {
        if (frames.isEmpty()) {
            return;
        }
        Frame frame = frames.peek();
        long right = machine.onStack(0);
        long stack = machine.cpu.gpr[CpuState.RSP];
        boolean intoUser = frame.kind == 'i' && frame.cpl == 3 && cpl == 0;
        if (intoUser) {
            // nothing on a shadow stack says where CPL 3 goes on
            return;
        }
        machine.memory.writeLong(stack, right + 1);
        execute(frame.kind == 'n' ? "c3" : frame.kind == 'f' ? "48 cb" : "48 cf");
        assertThat(machine.vector()).isEqualTo(21);
        assertThat(machine.onStack(0)).isEqualTo(frame.kind == 'n' ? 1 : 2);
        machine.memory.writeLong(stack, right);
        machine.cpu.gpr[CpuState.RSP] += 8;
        machine.cpu.rip = place();
        execute("48 cf");
        assertThat(machine.cpu.rip).isEqualTo(rip);
        assertThat(machine.cpu.ssp).isEqualTo(ssp);
        machine.cpu.rip = place();
    }

    /** What lies on the shadow stacks, from the frames: the innermost first. */
    private void compare() {
        long pointer = machine.cpu.ssp;
        boolean left = false;
        for (Frame frame : frames) {
            if (frame.kind == 'n') {
                assertThat(machine.memory.readLong(pointer)).isEqualTo(frame.rip);
                pointer += 8;
                continue;
            }
            if (frame.kind == 'i' && frame.cpl == 3) {
                assertThat(pointer).isEqualTo(CetMachine.KERNEL_SHADOW - 8);
                assertThat(machine.memory.readLong(pointer)).isEqualTo(pointer | 1);
                assertThat(machine.cpu.levelSsp[3]).isEqualTo(frame.ssp);
                pointer = frame.ssp;
                left = true;
                continue;
            }
            assertThat(machine.memory.readLong(pointer)).isEqualTo(frame.ssp);
            assertThat(machine.memory.readLong(pointer + 16) & 3).isEqualTo(frame.cpl);
            pointer = frame.ssp;
        }
        long token = machine.memory.readLong(CetMachine.KERNEL_SHADOW - 8);
        assertThat(token).isEqualTo(CetMachine.KERNEL_SHADOW - 8 | (left ? 1 : 0));
    }
}
