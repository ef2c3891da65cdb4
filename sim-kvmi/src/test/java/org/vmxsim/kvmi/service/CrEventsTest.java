package org.vmxsim.kvmi.service;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.kvmi.message.Action;
import org.vmxsim.kvmi.message.Event;
import org.vmxsim.kvmi.message.EventKind;
import org.vmxsim.kvmi.message.EventReply;
import org.vmxsim.kvmi.policy.Dialect;
import org.vmxsim.kvmi.policy.IntrospectionConfig;
import org.vmxsim.mmu.VcpuExit;

/** Writes of control registers as events. Source: RFC v4, patch 14; kvmi.rst, "KVMI_EVENT_CR". */
class CrEventsTest {
    private final EventRig rig = new EventRig(IntrospectionConfig.open(Dialect.BRANCH_V7)).open();

    private void watch(int cr) {
        rig.introspection.masks().control(rig.introspected(), EventKind.CR, true);
        rig.introspection.masks().cr(rig.introspected(), cr, true);
    }

    /** mov eax, value; mov crN, eax; mov ebx, 7; hlt. */
    private void write(int cr, int value) {
        int modrm = 0xc0 | cr << 3;
        rig.code(0xb8, value, value >> 8, value >> 16, value >> 24, 0x0f, 0x22, modrm, 0xbb, 7, 0, 0, 0, 0xf4);
    }

    @Test
    void aWriteOfCr3IsToldBeforeItHappens() {
        watch(3);
        write(3, 0x5000);
        rig.finish();

        Event.Cr cr = rig.only(Event.Cr.class);
        assertThat(cr.cr()).isEqualTo(3);
        assertThat(cr.oldValue()).isZero();
        assertThat(cr.newValue()).isEqualTo(0x5000);
        assertThat(cr.context().vcpu()).isZero();
        assertThat(cr.context().modeBytes()).isEqualTo(4);
        assertThat(cr.context().general().rip()).isEqualTo(EventRig.CODE + 5);
        assertThat(cr.context().general().rax()).isEqualTo(0x5000);
        assertThat(cr.context().system().cr3()).isZero();
        assertThat(rig.vcpu.state().cr3).isEqualTo(0x5000);
        assertThat(rig.get(CpuState.RBX)).isEqualTo(7);
    }

    @Test
    void theVcpuWaitsForTheReplyAndWritesTheToolsValue() {
        watch(3);
        write(3, 0x5000);
        rig.policy = event -> null;
        rig.expectWaiting();
        rig.expectWaiting();
        assertThat(rig.events).hasSize(1);
        assertThat(rig.vcpu.state().cr3).isZero();
        assertThat(rig.vcpu.rip()).isEqualTo(EventRig.CODE + 5);
        rig.reply(new EventReply.NewValue(Action.CONTINUE, 0x6000));
        rig.finish();
        assertThat(rig.events).hasSize(1);
        assertThat(rig.vcpu.state().cr3).isEqualTo(0x6000);
        assertThat(rig.get(CpuState.RBX)).isEqualTo(7);
    }

    @Test
    void anythingButContinueMakesTheWriteFail() {
        watch(3);
        write(3, 0x5000);
        rig.store(0x1800, 0xb9, 9, 0, 0, 0, 0xf4); // #GP: mov ecx, 9; hlt
        rig.gate(13, 0x1800);
        rig.policy = event -> new EventReply.NewValue(Action.RETRY, 0x6000);
        rig.finish();
        assertThat(rig.vcpu.state().cr3).isZero();
        assertThat(rig.get(CpuState.RCX)).isEqualTo(9);
        assertThat(rig.get(CpuState.RBX)).isZero();
    }

    @Test
    void aWriteOfTheSameValueIsNotTold() {
        watch(3);
        write(3, 0);
        rig.finish();
        assertThat(rig.events).isEmpty();
    }

    @Test
    void registersThatWereNotAskedForAreNotTold() {
        watch(4);
        write(3, 0x5000);
        rig.finish();
        assertThat(rig.events).isEmpty();
        write(4, 0x10);
        rig.finish();
        Event.Cr cr = rig.only(Event.Cr.class);
        assertThat(cr.cr()).isEqualTo(4);
        assertThat(cr.newValue()).isEqualTo(0x10);
        assertThat(rig.vcpu.state().cr4).isEqualTo(0x10);
    }

    /** CLTS and LMSW write CR0 as MOV does. */
    @Test
    void clearingAndLoadingTheMachineStatusAreWritesOfCr0() {
        watch(0);
        // mov eax, cr0; or al, 8; mov cr0, eax; clts; mov ax, 0x1b (TS, EM... as 16 bits); lmsw ax; clts; clts; hlt
        rig.code(
                0x0f, 0x20, 0xc0, 0x0c, 8, 0x0f, 0x22, 0xc0, 0x0f, 0x06, 0x66, 0xb8, 9, 0, 0x0f, 0x01, 0xf0, 0x0f, 0x06,
                0x0f, 0x06, 0xf4);
        rig.finish();
        assertThat(rig.events)
                .map(event -> "%x %x".formatted(((Event.Cr) event).oldValue(), ((Event.Cr) event).newValue()))
                .containsExactly("11 19", "19 11", "11 19", "19 11");
        assertThat(rig.vcpu.state().cr0).isEqualTo(0x11);
    }

    @Test
    void theToolsGoingLetsTheWriteHappen() {
        watch(3);
        write(3, 0x5000);
        rig.policy = event -> null;
        rig.expectWaiting();
        rig.session.close();
        assertThat(rig.introspection.isReady(rig.vcpu)).isTrue();
        rig.expect(VcpuExit.Hlt.class);
        assertThat(rig.vcpu.state().cr3).isEqualTo(0x5000);
        write(3, 0x6000);
        rig.finish();
        assertThat(rig.events).hasSize(1);
        assertThat(rig.ends).hasSize(1);
    }
}
