package org.vmxsim.mmu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.mmu.intercept.InterceptListener;
import org.vmxsim.mmu.intercept.Intercepts;
import org.vmxsim.mmu.intercept.RegisterWrite;
import org.vmxsim.vmx.exit.ExitReason;

/** What a guest does is seen while somebody asked for it, and takes place as on the processor. */
class InterceptsTest {
    private final Guest guest = new Guest();
    private final Intercepts intercepts = guest.vcpu.intercepts();
    private final Log log = new Log();

    private static final class Log implements InterceptListener {
        final List<String> lines = new ArrayList<>();
        Answer answer = Answer.CONTINUE;
        Long newValue;
        Runnable then = () -> {};

        private Answer line(String line) {
            lines.add(line);
            then.run();
            return answer;
        }

        private Answer write(String what, RegisterWrite write) {
            String line = "%s %x %x %x".formatted(what, write.register(), write.old(), write.value());
            if (newValue != null) {
                write.value(newValue);
            }
            return line(line);
        }

        @Override
        public Answer controlRegister(RegisterWrite write) {
            return write("cr", write);
        }

        @Override
        public Answer msrWrite(RegisterWrite write) {
            return write("msr", write);
        }

        @Override
        public long msrRead(int vcpu, int msr, long value) {
            line("rdmsr %x %x".formatted(msr, value));
            return value + 1;
        }

        @Override
        public Answer exception(int vcpu, int vector, int errorCode, long qualification) {
            return line("exception %d %x %x".formatted(vector, errorCode, qualification));
        }

        @Override
        public Answer cpuid(int vcpu, int leaf, int subleaf) {
            return line("cpuid %x".formatted(leaf));
        }

        @Override
        public Answer descriptorTable(int vcpu, DescriptorTable table, boolean write) {
            return line(table + " " + write);
        }
    }

    @BeforeEach
    void listen() {
        intercepts.listener(log);
    }

    @Test
    void controlRegistersAreSeenBitByBit() {
        // mov eax, cr0; or al, 8; mov cr0, eax; clts; mov eax, cr0; mov ebx, eax; mov eax, 0x1000; mov cr3, eax;
        // mov ecx, cr3; mov eax, 0x10; mov cr4, eax; mov edx, cr4; hlt
        int[] code = {
            0x0f, 0x20, 0xc0, 0x0c, 8, 0x0f, 0x22, 0xc0, 0x0f, 0x06, 0x0f, 0x20, 0xc0, 0x89, 0xc3, 0xb8, 0, 0x10, 0, 0,
            0x0f, 0x22, 0xd8, 0x0f, 0x20, 0xd9, 0xb8, 0x10, 0, 0, 0, 0x0f, 0x22, 0xe0, 0x0f, 0x20, 0xe2, 0xf4
        };
        guest.code(code);
        intercepts.controlRegister(0, 8);
        intercepts.controlRegister(3, -1);
        intercepts.controlRegister(4, -1);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(log.lines).containsExactly("cr 0 11 19", "cr 0 19 11", "cr 3 0 1000", "cr 4 0 10");
        assertThat(guest.get(CpuState.RBX)).isEqualTo(0x11);
        assertThat(guest.get(CpuState.RCX)).isEqualTo(0x1000);
        assertThat(guest.get(CpuState.RDX)).isEqualTo(0x10);
        log.lines.clear();
        intercepts.controlRegister(0, 0);
        intercepts.controlRegister(3, 0);
        intercepts.controlRegister(4, 0);
        guest.code(code);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(log.lines).isEmpty();
        assertThatThrownBy(() -> intercepts.controlRegister(8, 1)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void anotherValueIsWrittenOrNone() {
        intercepts.controlRegister(3, -1);
        log.newValue = 0x5000L;
        guest.code(0xb8, 0, 0x10, 0, 0, 0x0f, 0x22, 0xd8, 0xf4);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.vcpu.state().cr3).isEqualTo(0x5000);
        log.answer = InterceptListener.Answer.FAULT;
        guest.code(0xb8, 0, 0x10, 0, 0, 0x0f, 0x22, 0xd8, 0xf4);
        guest.expect(VcpuExit.Shutdown.class); // #GP without an IDT
    }

    /** SDM "MOV-Move to/from Control Registers": what the processor refuses is refused, what it changes is changed. */
    @Test
    void seenWritesKeepTheProcessorsRules() {
        intercepts.controlRegister(0, -1);
        intercepts.controlRegister(4, -1);
        guest.code(0x31, 0xc0, 0x0d, 0, 0, 0, 0x80, 0x0f, 0x22, 0xc0, 0xf4); // CR0 = PG without PE
        guest.expect(VcpuExit.Shutdown.class);
        guest.code(0xb8, 0, 0x20, 0, 0, 0x0f, 0x22, 0xe0, 0xf4); // CR4.VMXE
        guest.expect(VcpuExit.Shutdown.class);
        // Identity page directory of 4-MiB pages at 0x10000; CR4.PSE, CR3, CR0.PG; a store through a page that is not
        // identical shows that paging is on.
        guest.store(0x10000, 0x83, 0, 0, 0, 0x83, 0, 0x80, 0);
        guest.code(
                0xb8, 0x10, 0, 0, 0, 0x0f, 0x22, 0xe0, 0xb8, 0, 0, 1, 0, 0x0f, 0x22, 0xd8, 0x0f, 0x20, 0xc0, 0x0d, 0, 0,
                0, 0x80, 0x0f, 0x22, 0xc0, 0xc7, 0x05, 0, 0, 0x40, 0, 0x2a, 0, 0, 0, 0xf4);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.readLong(0x80_0000) & 0xffff_ffffL).isEqualTo(0x2a);
    }

    /** The guest's MOV to CR3 invalidates what the processor has cached, also when it is the hypervisor that writes. */
    @Test
    void aSeenSwitchOfPageTablesInvalidates() {
        intercepts.controlRegister(3, -1);
        // Two page directories of 4-MiB pages: 4 MiB is at 8 MiB, then at 12 MiB.
        guest.store(0x10000, 0x83, 0, 0, 0, 0x83, 0, 0x80, 0);
        guest.store(0x11000, 0x83, 0, 0, 0, 0x83, 0, 0xc0, 0);
        guest.store(0x80_0000, 1);
        guest.store(0xc0_0000, 2);
        // CR4.PSE; CR3; CR0.PG; mov ebx, [0x400000]; mov eax, 0x11000; mov cr3, eax; mov ecx, [0x400000]; hlt
        guest.code(
                0xb8, 0x10, 0, 0, 0, 0x0f, 0x22, 0xe0, 0xb8, 0, 0, 1, 0, 0x0f, 0x22, 0xd8, 0x0f, 0x20, 0xc0, 0x0d, 0, 0,
                0, 0x80, 0x0f, 0x22, 0xc0, 0x8b, 0x1d, 0, 0, 0x40, 0, 0xb8, 0, 0x10, 1, 0, 0x0f, 0x22, 0xd8, 0x8b, 0x0d,
                0, 0, 0x40, 0, 0xf4);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.get(CpuState.RBX)).isOne();
        assertThat(guest.get(CpuState.RCX)).isEqualTo(2);
        assertThat(log.lines).hasSize(2);
    }

    @Test
    void modelSpecificRegistersAreSeenByNumber() {
        intercepts.msr(0xc000_0082, true, true);
        intercepts.msr(0x1b, false, true);
        // mov ecx, 0xc0000082; mov eax, 0x1234; xor edx, edx; wrmsr; rdmsr; mov esi, eax; mov ecx, 0xc0000081; wrmsr;
        // hlt
        int[] code = {
            0xb9, 0x82, 0, 0, 0xc0, 0xb8, 0x34, 0x12, 0, 0, 0x31, 0xd2, 0x0f, 0x30, 0x0f, 0x32, 0x89, 0xc6, 0xb9, 0x81,
            0, 0, 0xc0, 0x0f, 0x30, 0xf4
        };
        guest.code(code);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(log.lines).containsExactly("msr c0000082 0 1234", "rdmsr c0000082 1234");
        assertThat(guest.get(CpuState.RSI)).isEqualTo(0x1235);
        assertThat(guest.vcpu.state().lstar).isEqualTo(0x1234);
        long before = guest.vcpu.statistics().snapshot().exits(ExitReason.WRMSR);
        intercepts.msr(0xc000_0082, false, false);
        guest.code(code);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.vcpu.statistics().snapshot().exits(ExitReason.WRMSR)).isEqualTo(before);
        assertThatThrownBy(() -> intercepts.msr(0x4000_0000, true, true)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void exceptionsAreSeenThenHandledByTheGuest() {
        guest.code(0x0f, 0x0b, 0xf4); // ud2
        guest.store(0x1800, 0xb8, 7, 0, 0, 0, 0xf4);
        guest.gate(6, 0x1800);
        guest.gate(3, 0x1800);
        intercepts.exceptions(1 << 6 | 1 << 3);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(log.lines).containsExactly("exception 6 0 0");
        assertThat(guest.get(CpuState.RAX)).isEqualTo(7);
        log.lines.clear();
        // int3: RIP behind it is pushed
        guest.store(Guest.CODE, 0xcc, 0xf4);
        CpuState state = guest.vcpu.state();
        state.rip = Guest.CODE;
        guest.vcpu.setState(state);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(log.lines).containsExactly("exception 3 0 0");
        assertThat(guest.readLong(guest.get(CpuState.RSP)) & 0xffff_ffffL).isEqualTo(Guest.CODE + 1);
        // Something else instead: the listener has put another instruction there.
        guest.store(Guest.CODE, 0x0f, 0x0b);
        guest.vcpu.setState(state);
        log.answer = InterceptListener.Answer.RETRY;
        log.then = () -> guest.store(Guest.CODE, 0x90, 0xf4);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(guest.vcpu.rip()).isEqualTo(Guest.CODE + 2);
    }

    @Test
    void cpuidAndDescriptorTablesAreSeen() {
        guest.store(0x5000, 0xff, 0, 0x34, 0x12, 0, 0);
        // cpuid; lgdt [esi]; sgdt [edi]; lidt [esi]; sidt [edi]; sldt ax; str ax; lldt ax (null); hlt
        guest.code(
                0x31, 0xc0, 0x0f, 0xa2, 0x0f, 0x01, 0x16, 0x0f, 0x01, 0x07, 0x0f, 0x01, 0x1e, 0x0f, 0x01, 0x0f, 0x0f,
                0x00, 0xc0, 0x31, 0xc0, 0x0f, 0x00, 0xd0, 0x0f, 0x00, 0xc8, 0xf4);
        guest.set(CpuState.RSI, 0x5000);
        guest.set(CpuState.RDI, 0x6000);
        intercepts.cpuid(true);
        intercepts.descriptorTables(true);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(log.lines)
                .containsExactly(
                        "cpuid 0",
                        "GDTR true",
                        "GDTR false",
                        "IDTR true",
                        "IDTR false",
                        "LDTR false",
                        "LDTR true",
                        "TR false");
        assertThat(guest.vcpu.state().gdtrBase).isEqualTo(0x1234);
        assertThat(guest.vcpu.state().idtrLimit).isEqualTo(0xff);
        assertThat(guest.readLong(0x6000) & 0xffff_ffff_ffffL).isEqualTo(0x1234_00ffL);
        log.lines.clear();
        intercepts.cpuid(false);
        intercepts.descriptorTables(false);
        guest.code(0x0f, 0xa2, 0x0f, 0x01, 0x16, 0xf4);
        guest.set(CpuState.RSI, 0x5000);
        guest.expect(VcpuExit.Hlt.class);
        assertThat(log.lines).isEmpty();
    }
}
