package org.vmxsim.core.boot.loader;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.vmxsim.core.boot.BootModule;
import org.vmxsim.core.boot.GuestMemory;
import org.vmxsim.core.boot.GuestRam;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.memory.PhysicalMemory;

/** Offsets and values are typed from the boot protocols, not from the loaders. */
class LoaderTest {
    private static final BootModule DISK = new BootModule("disk", "initial".getBytes(StandardCharsets.UTF_8));

    private final PhysicalMemory memory = PhysicalMemory.sparse(64 << 20);
    private final CpuState cpu = new CpuState();

    static ByteBuffer buffer(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Boot protocol 2.12, one set-up sector, 64-bit entry, kernel of 0x400 bytes at 1 MiB. */
    static byte[] linux() {
        ByteBuffer file = buffer(0x800);
        file.put(0x1f1, (byte) 1).putShort(0x1fe, (short) 0xaa55);
        file.put(0x200, (byte) 0xeb).put(0x201, (byte) 0x66).putInt(0x202, 0x53726448);
        file.putShort(0x206, (short) 0x20c).put(0x211, (byte) 1).putInt(0x214, 0x100000);
        file.putInt(0x22c, 0x7fffffff).putInt(0x230, 0x200000).put(0x234, (byte) 1);
        file.putShort(0x236, (short) 1).putInt(0x238, 255);
        file.putLong(0x258, 0x1000000).putInt(0x260, 0x100000);
        file.put(0x600, (byte) 0xf4);
        return file.array();
    }

    /** Class 64, a segment of 0x100 bytes at 2 MiB physical, 0xffffffff80200000 virtual, and a note. */
    static byte[] elf(int noteType) {
        ByteBuffer file = buffer(0x400);
        file.putInt(0, 0x464c457f).put(4, (byte) 2).put(5, (byte) 1).putShort(18, (short) 62);
        file.putLong(24, 0xffffffff80200010L).putLong(32, 64);
        file.putShort(54, (short) 56).putShort(56, (short) 2);
        file.putInt(64, 1).putLong(72, 0x200).putLong(80, 0xffffffff80200000L).putLong(88, 0x200000);
        file.putLong(96, 0x100).putLong(104, 0x3000);
        file.putInt(120, 4).putLong(128, 0x300).putLong(152, 44).putLong(168, 4);
        file.putInt(0x300, 4).putInt(0x304, 5).putInt(0x308, 1).put(0x30c, new byte[] {'G', 'N', 'U', 0});
        file.putInt(0x318, 4).putInt(0x31c, 4).putInt(0x320, noteType).put(0x324, new byte[] {'X', 'e', 'n', 0});
        file.putInt(0x328, 0x200040);
        return file.array();
    }

    private String string(long at) {
        StringBuilder text = new StringBuilder();
        for (long i = at; memory.readByte(i) != 0; i++) {
            text.append((char) memory.readByte(i));
        }
        return text.toString();
    }

    private void load(byte[] file, String words, BootModule... modules) {
        ImageKind.of(file)
                .parse(file)
                .load(new GuestRam(memory), words, List.of(modules))
                .apply(cpu);
    }

    private void assertIdentityPages(long upTo) {
        long pdpt = memory.readLong(cpu.cr3) & ~0xfffL;
        for (long address = 0; address < upTo; address += 2 << 20) {
            long directory = memory.readLong(pdpt + (address >>> 30) * 8);
            assertThat(directory & 0xfff).isEqualTo(3);
            long entry = memory.readLong((directory & ~0xfffL) + (address >>> 21 & 511) * 8);
            assertThat(entry).isEqualTo(address | 0x83);
        }
    }

    private void assertLongMode() {
        assertThat(cpu.cr0 & 0x80000001L).isEqualTo(0x80000001L);
        assertThat(cpu.cr4).isEqualTo(0x20);
        assertThat(cpu.efer).isEqualTo(0x500);
        assertThat(cpu.rflags()).isEqualTo(2);
        assertThat(cpu.segments[CpuState.CS].selector).isEqualTo(0x10);
        assertThat(cpu.segments[CpuState.CS].accessRights).isEqualTo(0xa09b);
        assertThat(cpu.segments[CpuState.SS].selector).isEqualTo(0x18);
        assertThat(memory.readLong(cpu.gdtrBase + 0x10)).isEqualTo(0x00af9b000000ffffL);
        assertThat(memory.readLong(cpu.gdtrBase + 0x18)).isEqualTo(0x00cf93000000ffffL);
        assertIdentityPages(4L << 30);
    }

    @Test
    void aLinuxImageBeginsBehindItsSetUpWithTheZeroPage() {
        load(linux(), "console=ttyS0", DISK, DISK);

        assertLongMode();
        assertThat(cpu.rip).isEqualTo(0x100200);
        assertThat(memory.readByte(0x100200)).isEqualTo(0xf4);
        long zeroPage = cpu.gpr[CpuState.RSI];
        assertThat(memory.readInt(zeroPage + 0x202)).isEqualTo(0x53726448);
        assertThat(memory.readByte(zeroPage + 0x210)).isEqualTo(0xff);
        assertThat(memory.readByte(zeroPage + 0x1ef)).isZero();
        assertThat(string(memory.readInt(zeroPage + 0x228))).isEqualTo("console=ttyS0");
        assertThat(memory.readByte(zeroPage + 7)).isEqualTo(80);
        assertThat(memory.readByte(zeroPage + 0xe)).isEqualTo(25);
        long disk = memory.readInt(zeroPage + 0x218);
        assertThat(disk).isEqualTo(0x1100000);
        assertThat(memory.readInt(zeroPage + 0x21c)).isEqualTo(15);
        assertThat(string(disk)).isEqualTo("initial");
        assertThat(string(disk + 8)).isEqualTo("initial");
        assertThat(memory.readByte(zeroPage + 0x1e8)).isEqualTo(3);
        assertThat(memory.readLong(zeroPage + 0x2d0 + 40)).isEqualTo(0x100000);
        assertThat(memory.readLong(zeroPage + 0x2d0 + 48)).isEqualTo(63 << 20);
        assertThat(memory.readInt(zeroPage + 0x2d0 + 56)).isEqualTo(1);
    }

    @Test
    void noNumberOfSetUpSectorsMeansFour() {
        byte[] file = Arrays.copyOf(linux(), 0x1000);
        file[0x1f1] = 0;
        file[5 * 0x200 + 0x200] = 0x5a;
        load(file, "");

        assertThat(cpu.rip).isEqualTo(0x100200);
        assertThat(memory.readByte(0x100200)).isEqualTo(0x5a);
    }

    private void assertStartInfo(long info, String words) {
        assertThat(memory.readInt(info)).isEqualTo(0x336ec578);
        assertThat(memory.readInt(info + 4)).isEqualTo(1);
        assertThat(memory.readInt(info + 12)).isEqualTo(1);
        long module = memory.readLong(info + 16);
        assertThat(string(memory.readLong(module))).isEqualTo("initial");
        assertThat(memory.readLong(module + 8)).isEqualTo(7);
        assertThat(string(memory.readLong(module + 16))).isEqualTo("disk");
        assertThat(string(memory.readLong(info + 24))).isEqualTo(words);
        assertThat(memory.readLong(info + 32)).isZero();
        assertThat(memory.readInt(info + 48)).isEqualTo(3);
        long map = memory.readLong(info + 40);
        assertThat(memory.readLong(map)).isZero();
        assertThat(memory.readLong(map + 8)).isEqualTo(0x9fc00);
        assertThat(memory.readInt(map + 16)).isEqualTo(1);
        assertThat(memory.readInt(map + 24 + 16)).isEqualTo(2);
    }

    @Test
    void aPvhImageBeginsAtTheAddressOfItsNote() {
        load(elf(18), "quiet", DISK);

        assertThat(cpu.rip).isEqualTo(0x200040);
        assertThat(cpu.cr0).isEqualTo(0x11);
        assertThat(cpu.cr4).isZero();
        assertThat(cpu.efer).isZero();
        assertThat(cpu.segments[CpuState.CS].accessRights).isEqualTo(0xc09b);
        assertThat(cpu.segments[CpuState.TR].limit).isEqualTo(0x67);
        assertThat(cpu.segments[CpuState.TR].accessRights).isEqualTo(0x8b);
        assertStartInfo(cpu.gpr[CpuState.RBX], "quiet");
    }

    @Test
    void aPlainElfFileBeginsAtItsEntryInLongMode() {
        load(elf(17), "one two", DISK);

        assertLongMode();
        assertThat(cpu.rip).isEqualTo(0x200010); // where the virtual entry address is loaded to
        assertThat(cpu.gpr[CpuState.RSP] % 0x1000).isZero();
        assertStartInfo(cpu.gpr[CpuState.RBX], "one two");
    }

    @Test
    void pagesMapWhatLiesAboveFourGib() {
        GuestMemory large = new GuestMemory() {
            @Override
            public void load(long address, byte[] bytes) {
                memory.load(address, bytes);
            }

            @Override
            public long lowRamBytes() {
                return 64 << 20;
            }

            @Override
            public long highRamBytes() {
                return (1L << 30) + 4096;
            }
        };
        Elf64Image.parse(elf(17)).load(large, "", List.of()).apply(cpu);

        assertIdentityPages(6L << 30);
    }

    @Test
    void aBootSectorBeginsInRealMode() {
        byte[] sector = new byte[512];
        sector[510] = 0x55;
        sector[511] = (byte) 0xaa;
        sector[0] = (byte) 0xf4;
        load(sector, "");

        assertThat(cpu.cr0 & 1).isZero();
        assertThat(cpu.rip).isEqualTo(0x7c00);
        assertThat(cpu.segments[CpuState.CS].base).isZero();
        assertThat(cpu.segments[CpuState.SS].limit).isEqualTo(0xffff);
        assertThat(cpu.gpr[CpuState.RSP]).isEqualTo(0x7c00);
        assertThat(cpu.gpr[CpuState.RDX]).isEqualTo(0x80);
        assertThat(memory.readByte(0x7c00)).isEqualTo(0xf4);
    }

    @Test
    void rawBytesBeginWhereTheyAreTold() {
        RawImage.of(new byte[] {1}, 0xf_0008, 16)
                .load(new GuestRam(memory), "", List.of())
                .apply(cpu);
        assertThat(cpu.segments[CpuState.CS].selector).isEqualTo(0xf000);
        assertThat(cpu.segments[CpuState.CS].base).isEqualTo(0xf0000);
        assertThat(cpu.rip).isEqualTo(8);

        RawImage.of(new byte[] {1}, 0x300000, 32)
                .load(new GuestRam(memory), "a", List.of(DISK))
                .apply(cpu);
        assertThat(cpu.rip).isEqualTo(0x300000);
        assertThat(cpu.cr0).isEqualTo(0x11);
        assertStartInfo(cpu.gpr[CpuState.RBX], "a");

        RawImage.of(new byte[] {1}, 0x300000, 64)
                .load(new GuestRam(memory), "b", List.of(DISK))
                .apply(cpu);
        assertLongMode();
        assertStartInfo(cpu.gpr[CpuState.RBX], "b");
    }

    @Test
    void theStackOfRealModeIsNotPutOverAProgramBelowIt() {
        RawImage.of(new byte[] {1}, 0x600, 16)
                .load(new GuestRam(memory), "", List.of())
                .apply(cpu);
        assertThat(cpu.rip).isEqualTo(0x600);
        assertThat(cpu.gpr[CpuState.RSP]).as("the first push is at ss:fffe").isZero();
    }

    @Test
    void structuresKeepOutOfTheWayOfAProgramBelowOneMib() {
        byte[] low = new byte[0x8_0000];
        Arrays.fill(low, (byte) 7);
        RawImage.of(low, 0x1000, 64)
                .load(new GuestRam(memory), "b", List.of(DISK))
                .apply(cpu);

        assertThat(cpu.gpr[CpuState.RBX]).isGreaterThanOrEqualTo(0x100000);
        for (int i = 0; i < low.length; i += 64) {
            assertThat(memory.readByte(0x1000 + i)).isEqualTo(7);
        }
    }

    @Test
    void whatCannotBeBegunIsRefusedWithTheReason() {
        assertThatThrownBy(() -> load(new byte[600], "")).hasMessageContaining("need a Multiboot 1 header");
        ByteBuffer old = ByteBuffer.wrap(linux()).order(ByteOrder.LITTLE_ENDIAN).putShort(0x206, (short) 0x20b);
        assertThatThrownBy(() -> load(old.array(), "")).hasMessageContaining("boot protocol 2.12");
        ByteBuffer narrow =
                ByteBuffer.wrap(linux()).order(ByteOrder.LITTLE_ENDIAN).putShort(0x236, (short) 0);
        assertThatThrownBy(() -> load(narrow.array(), "")).hasMessageContaining("64-bit entry point");
        assertThatThrownBy(() -> load(linux(), "x".repeat(256))).hasMessageContaining("at most 255 bytes");
        ByteBuffer far = ByteBuffer.wrap(linux()).order(ByteOrder.LITTLE_ENDIAN);
        far.put(0x234, (byte) 0).putLong(0x258, Long.MIN_VALUE);
        assertThatThrownBy(() -> load(far.array(), "")).hasMessageContaining("need RAM for every segment");
        ByteBuffer limited =
                ByteBuffer.wrap(linux()).order(ByteOrder.LITTLE_ENDIAN).putInt(0x22c, 0x1100005);
        assertThatThrownBy(() -> load(limited.array(), "", DISK)).hasMessageContaining("RAM disk that ends at most");
        byte[] narrowElf = elf(17);
        narrowElf[4] = 1;
        assertThatThrownBy(() -> Elf64Image.parse(narrowElf)).hasMessageContaining("class 32");
        assertThatThrownBy(() -> RawImage.of(new byte[1], 0x100000, 16)).hasMessageContaining("below 0x100000");
        assertThatThrownBy(() -> RawImage.of(new byte[1], 0, 8)).hasMessageContaining("16, 32 or 64 bits");
    }
}
