package org.vmxsim.kvmi.service;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.kvmi.message.Answer;
import org.vmxsim.kvmi.message.KvmiError;
import org.vmxsim.kvmi.message.VcpuCommand;
import org.vmxsim.kvmi.policy.Dialect;

/** Exceptions that a tool injects. Source: kvmi.rst, "KVMI_INJECT_EXCEPTION". */
class InjectionCommandsTest {
    private static final int HANDLER = 0x1800;

    private static VcpuCommand inject(int vector, boolean hasErrorCode, int errorCode, long address) {
        return new VcpuCommand.InjectException(0, vector, hasErrorCode, errorCode, address);
    }

    private static CommandRig rig(Dialect dialect, int vector) {
        CommandRig rig = new CommandRig(dialect);
        rig.events.code(0xb8, 7, 0, 0, 0, 0xf4);
        rig.events.store(HANDLER, 0x5b, 0x59, 0xf4); // pop ebx; pop ecx; hlt
        rig.events.gate(vector, HANDLER);
        return rig;
    }

    @ParameterizedTest
    @EnumSource
    void aPageFaultHasItsAddressAndItsErrorCode(Dialect dialect) {
        CommandRig rig = rig(dialect, 14);
        rig.done(inject(14, true, 6, 0x1234_5678));
        rig.finish();
        assertThat(rig.vcpu.gpr(CpuState.RBX)).as("error code").isEqualTo(6);
        assertThat(rig.vcpu.gpr(CpuState.RCX)).as("EIP").isEqualTo(EventRig.CODE);
        assertThat(rig.vcpu.state().cr2).isEqualTo(0x1234_5678);
        assertThat(rig.eax()).as("the instruction was not executed").isNotEqualTo(7);
    }

    @ParameterizedTest
    @EnumSource
    void anExceptionWithoutErrorCode(Dialect dialect) {
        CommandRig rig = rig(dialect, 6);
        rig.done(inject(6, false, 0, 0x1234));
        rig.finish();
        assertThat(rig.vcpu.gpr(CpuState.RBX)).as("EIP").isEqualTo(EventRig.CODE);
        assertThat(rig.vcpu.state().cr2).isZero();
    }

    /** SDM "Checks on VM-Entry Control Fields": these push an error code; no processor here has #CP. */
    @ParameterizedTest
    @EnumSource
    void aVectorIsAnExceptionWithOrWithoutErrorCode(Dialect dialect) {
        for (int vector :
                IntStream.concat(IntStream.range(-1, 34), IntStream.of(255)).toArray()) {
            boolean pushes = vector == 8 || vector >= 10 && vector <= 14 || vector == 17;
            boolean exception = vector >= 0 && vector < 32 && vector != 2;
            for (boolean has : new boolean[] {true, false}) {
                CommandRig rig = new CommandRig(dialect);
                assertThat(rig.ask(inject(vector, has, 0, 0)))
                        .as("vector %d, error code %s", vector, has)
                        .isEqualTo(exception && has == pushes ? Answer.DONE : new Answer.Failed(KvmiError.EINVAL));
                rig.close();
            }
        }
    }

    /** Whatever is taken, VM entry takes too: a tool cannot end the virtual machine with an exception. */
    @ParameterizedTest
    @EnumSource
    void whatIsTakenReachesItsHandler(Dialect dialect) {
        for (int vector = 0; vector < 32; vector++) {
            for (boolean has : new boolean[] {true, false}) {
                CommandRig rig = rig(dialect, vector);
                if (rig.ask(inject(vector, has, 0, 0)) == Answer.DONE) {
                    rig.finish();
                    assertThat(rig.vcpu.gpr(has ? CpuState.RCX : CpuState.RBX))
                            .as("EIP, vector %d", vector)
                            .isEqualTo(EventRig.CODE);
                }
                rig.close();
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void whatTheProcessorCannotDeliverIsRefused(Dialect dialect) {
        CommandRig rig = new CommandRig(dialect);
        rig.fails(KvmiError.EINVAL, inject(13, true, 0x1_0000, 0));
        rig.fails(KvmiError.EINVAL, inject(13, true, -1, 0));
        rig.fails(KvmiError.EINVAL, inject(14, true, 0, 1L << 60));
        rig.fails(KvmiError.EINVAL, inject(14, true, 0, Long.MIN_VALUE));
        rig.done(inject(14, true, 0xffff, -4096));
    }

    /** The later dialect has one on its way at a time; in the first the last one counts. */
    @Test
    void aSecondOneWaitsOrTakesThePlace() {
        CommandRig later = rig(Dialect.BRANCH_V7, 6);
        later.done(inject(6, false, 0, 0));
        later.fails(KvmiError.EBUSY, inject(5, false, 0, 0));
        later.fails(KvmiError.EINVAL, inject(77, false, 0, 0));
        later.finish();
        assertThat(later.vcpu.gpr(CpuState.RBX)).isEqualTo(EventRig.CODE);

        CommandRig first = rig(Dialect.V4, 6);
        first.done(inject(5, false, 0, 0));
        first.done(inject(6, false, 0, 0));
        first.finish();
        assertThat(first.vcpu.gpr(CpuState.RBX)).isEqualTo(EventRig.CODE);
    }
}
