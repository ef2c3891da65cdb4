package org.vmxsim.kvmi.service;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vmxsim.kvmi.message.Answer;
import org.vmxsim.kvmi.message.KvmiError;
import org.vmxsim.kvmi.message.VcpuCommand;
import org.vmxsim.kvmi.message.VmCommand;
import org.vmxsim.kvmi.policy.Dialect;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.memslot.Memslot;

/** Reading and writing guest memory, and where it is. Source: kvmi.rst, "KVMI_READ_PHYSICAL" and those after it. */
class MemoryCommandsTest {
    private static final long ROM = 0xf000_0000L;
    private static final long HOLE = 0x1000_0000;

    private static KvmiError noPage(Dialect dialect) {
        return dialect == Dialect.V4 ? KvmiError.EINVAL : KvmiError.ENOENT;
    }

    private static byte[] bytes(int... values) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) values[i];
        }
        return bytes;
    }

    private static void addRom(CommandRig rig) {
        long hva = rig.vm.host().map(0x2000, PageSize.SIZE_4K);
        rig.vm.host().write(hva, bytes(0x55, 0xaa));
        assertThat(rig.vm
                        .setUserMemoryRegion(7, Memslot.READONLY, ROM, 0x2000, hva)
                        .isOk())
                .isTrue();
    }

    @ParameterizedTest
    @EnumSource
    void theToolReadsWhatTheGuestWroteAndTheOtherWayRound(Dialect dialect) {
        CommandRig rig = new CommandRig(dialect).store(0x5ffc, 0x1234_5678);
        rig.finish();
        assertThat(rig.read(0x5ffb, 5)).containsExactly(0, 0x78, 0x56, 0x34, 0x12);
        rig.done(new VmCommand.WritePhysical(0x5ffc, bytes(0xef, 0xbe, 0xad, 0xde)));
        rig.load(0x5ffc).finish();
        assertThat(rig.eax()).isEqualTo(0xdead_beef);
        assertThat(rig.read(0x5000, 4096)).hasSize(4096).endsWith(bytes(0xef, 0xbe, 0xad, 0xde));
    }

    /** Code that was executed already is executed as it is now. */
    @Test
    void theToolWritesCodeThatTheGuestHasExecuted() {
        CommandRig rig = CommandRig.v7();
        rig.events.code(0xb8, 1, 0, 0, 0, 0xf4);
        rig.finish();
        assertThat(rig.eax()).isEqualTo(1);
        rig.done(new VmCommand.WritePhysical(EventRig.CODE + 1, bytes(2)));
        rig.vcpu.setState(atCode(rig));
        rig.finish();
        assertThat(rig.eax()).isEqualTo(2);
    }

    private static org.vmxsim.core.cpu.CpuState atCode(CommandRig rig) {
        var state = rig.vcpu.state();
        state.rip = EventRig.CODE;
        return state;
    }

    @ParameterizedTest
    @EnumSource
    void aRangeIsOneToAllBytesOfOnePage(Dialect dialect) {
        CommandRig rig = new CommandRig(dialect);
        for (long size : new long[] {0, 4097, 1L << 32, -1, Long.MIN_VALUE}) {
            rig.fails(KvmiError.EINVAL, new VmCommand.ReadPhysical(0x5000, size));
        }
        rig.fails(KvmiError.EINVAL, new VmCommand.ReadPhysical(0x5fff, 2));
        rig.fails(KvmiError.EINVAL, new VmCommand.WritePhysical(0x5000, new byte[0]));
        rig.fails(KvmiError.EINVAL, new VmCommand.WritePhysical(0x5fff, new byte[2]));
        rig.fails(KvmiError.EINVAL, new VmCommand.WritePhysical(0x5000, new byte[4097]));
        assertThat(rig.read(0x5fff, 1)).hasSize(1);
    }

    @ParameterizedTest
    @EnumSource
    void whereThereIsNoMemoryNothingIsReadOrWritten(Dialect dialect) {
        CommandRig rig = new CommandRig(dialect);
        for (long gpa : new long[] {HOLE, 1L << 51, 1L << 62, Long.MIN_VALUE, -4096}) {
            rig.fails(noPage(dialect), new VmCommand.ReadPhysical(gpa, 1));
            rig.fails(noPage(dialect), new VmCommand.WritePhysical(gpa, new byte[1]));
        }
    }

    /** The hypervisor's look-up of an address to write at fails for a ROM. */
    @ParameterizedTest
    @EnumSource
    void aRomIsReadButNotWritten(Dialect dialect) {
        CommandRig rig = new CommandRig(dialect);
        addRom(rig);
        assertThat(rig.read(ROM, 2)).containsExactly(0x55, 0xaa);
        rig.fails(noPage(dialect), new VmCommand.WritePhysical(ROM, new byte[1]));
        assertThat(rig.read(ROM, 1)).containsExactly(0x55);
    }

    @Test
    void rightsOfTheGuestAreNotTheTools() {
        CommandRig rig = CommandRig.v7();
        rig.access(0, 0x5000, 0);
        rig.done(new VmCommand.WritePhysical(0x5000, bytes(9)));
        assertThat(rig.read(0x5000, 1)).containsExactly(9);
    }

    @Test
    void aWriteIsLogged() {
        CommandRig rig = CommandRig.v7();
        Memslot slot = rig.vm.memory().slot(0);
        rig.vm.setUserMemoryRegion(0, Memslot.LOG_DIRTY_PAGES, 0, 16 << 20, slot.hva());
        rig.read(0x5000, 1);
        assertThat(slot.isDirty(5)).isFalse();
        rig.done(new VmCommand.WritePhysical(0x5000, bytes(9)));
        assertThat(slot.isDirty(5)).isTrue();
        assertThat(slot.isDirty(4)).isFalse();
        assertThat(slot.isDirty(6)).isFalse();
    }

    /** The number is the first behind memory that can be written: 16 MiB are 4096 pages. */
    @Test
    void guestMemoryEndsBehindTheLastWritablePage() {
        CommandRig rig = CommandRig.v7();
        assertThat(rig.ask(new VmCommand.GetMaxGfn())).isEqualTo(new Answer.Gfn(4096));
        addRom(rig);
        assertThat(rig.ask(new VmCommand.GetMaxGfn())).isEqualTo(new Answer.Gfn(4096));
        assertThat(rig.vm.addMemory(1, 4L << 30, 1 << 20, PageSize.SIZE_4K).isOk())
                .isTrue();
        assertThat(rig.ask(new VmCommand.GetMaxGfn())).isEqualTo(new Answer.Gfn((1 << 20) + 256));
    }

    @Test
    void aPageIsInAMemslot() {
        CommandRig rig = CommandRig.v7();
        addRom(rig);
        assertThat(rig.ask(new VmCommand.QueryPhysical(4095))).isEqualTo(new Answer.Slot(0, 4096));
        assertThat(rig.ask(new VmCommand.QueryPhysical((ROM >>> 12) + 1))).isEqualTo(new Answer.Slot(ROM >>> 12, 2));
        rig.fails(KvmiError.ENOENT, new VmCommand.QueryPhysical(4096));
        rig.fails(KvmiError.ENOENT, new VmCommand.QueryPhysical(-1));
        rig.fails(KvmiError.ENOENT, new VmCommand.QueryPhysical(1L << 52));
    }

    @Test
    void aFrameOfTheToolsOwnIsMemoryUntilItGoes() {
        CommandRig rig = CommandRig.v7();
        long gfn =
                rig.ask(Answer.Gfn.class, new VmCommand.GetNextAvailableGfn()).gfn();
        assertThat(gfn).isEqualTo(4096);
        rig.done(new VcpuCommand.AllocGfn(0, gfn));
        assertThat(rig.ask(new VmCommand.GetNextAvailableGfn())).isEqualTo(new Answer.Gfn(4097));
        rig.store((int) (gfn << 12) + 8, 77).finish();
        assertThat(rig.read((gfn << 12) + 8, 1)).containsExactly(77);
        rig.done(new VcpuCommand.FreeGfn(0, gfn));
        rig.fails(KvmiError.ENOENT, new VmCommand.ReadPhysical(gfn << 12, 1));
        rig.done(new VcpuCommand.AllocGfn(0, gfn));
        assertThat(rig.read((gfn << 12) + 8, 1)).as("fresh").containsExactly(0);
        rig.reconnect();
        rig.fails(KvmiError.ENOENT, new VmCommand.ReadPhysical(gfn << 12, 1));
        assertThat(rig.ask(new VmCommand.GetNextAvailableGfn())).isEqualTo(new Answer.Gfn(4096));
    }

    @Test
    void framesThatCannotBeAddedOrWereNot() {
        CommandRig rig = CommandRig.v7();
        int bits = rig.vcpu.processor().model.physicalAddressBits();
        for (long gfn : new long[] {0, 4095, 1L << bits - 12, 1L << 51, -1}) {
            rig.fails(KvmiError.EINVAL, new VcpuCommand.AllocGfn(0, gfn));
            rig.fails(KvmiError.ENOENT, new VcpuCommand.FreeGfn(0, gfn));
        }
        rig.done(new VcpuCommand.AllocGfn(0, 5000));
        rig.fails(KvmiError.EINVAL, new VcpuCommand.AllocGfn(0, 5000));
        rig.done(new VcpuCommand.FreeGfn(1, 5000));
        rig.fails(KvmiError.ENOENT, new VcpuCommand.FreeGfn(0, 5000));
    }

    @Test
    void framesAreLimited() {
        CommandRig rig = CommandRig.v7();
        long free = rig.vm.kvm().freeBytes();
        for (int i = 0; i < 1024; i++) {
            rig.done(new VcpuCommand.AllocGfn(0, 5000 + 2L * i));
        }
        rig.fails(KvmiError.ENOMEM, new VcpuCommand.AllocGfn(0, 9000));
        rig.done(new VcpuCommand.FreeGfn(0, 5000));
        rig.done(new VcpuCommand.AllocGfn(0, 9000));
        rig.close();
        assertThat(rig.vm.memory().memslots()).hasSize(1);
        assertThat(rig.vm.kvm().freeBytes()).isEqualTo(free);
    }

    /** What the owner of the virtual machine puts at the place meanwhile stays. */
    @Test
    void aFrameThatTheOwnerTookAwayIsNotTakenTwice() {
        CommandRig rig = CommandRig.v7();
        rig.done(new VcpuCommand.AllocGfn(0, 5000));
        Memslot slot = rig.vm.memory().slot(5000L << 12);
        assertThat(rig.vm
                        .setUserMemoryRegion(slot.id(), 0, 5000L << 12, 0, slot.hva())
                        .isOk())
                .isTrue();
        assertThat(rig.vm.addMemory(3, 5000L << 12, 4096, PageSize.SIZE_4K).isOk())
                .isTrue();
        rig.done(new VcpuCommand.FreeGfn(0, 5000));
        assertThat(rig.vm.memory().slot(5000L << 12).id()).isEqualTo(3);
    }
}
