package org.vmxsim.mmu.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.vmxsim.core.memory.PhysicalMemory;

class HostMemoryTest {
    private final PhysicalMemory memory = PhysicalMemory.sparse(16 << 20);
    private final FrameAllocator frames = new FrameAllocator(memory);
    private final HostMemory host = new HostMemory(memory, frames);

    HostMemoryTest() {
        frames.add(0, 16 << 20);
    }

    @Test
    void pagesAreBackedWhenFirstTouched() {
        long hva = host.map(1 << 30, PageSize.SIZE_4K);
        assertThat(frames.freeBytes()).isEqualTo(16 << 20);

        long hpa = host.resolve(hva + 0x12345);

        assertThat(hpa & 0xfff).isEqualTo(0x345);
        assertThat(host.resolve(hva + 0x12000)).isEqualTo(hpa - 0x345);
        assertThat(frames.freeBytes()).isEqualTo((16 << 20) - 4096);
    }

    @Test
    void aLargePageIsAlignedAndContiguous() {
        long hva = host.map(4 << 20, PageSize.SIZE_2M);
        host.resolve(hva);
        long hpa = host.resolve(hva + 0x30_0000);
        assertThat(hpa & 0x1f_ffff).isEqualTo(0x10_0000);
        assertThat(host.resolve(hva + 0x3f_ffff)).isEqualTo(hpa + 0xf_ffff);
        assertThat(host.backing(hva + 0x3f_ffff)).isEqualTo(PageSize.SIZE_2M);
    }

    @Test
    void bytesCrossPagesWhoseFramesAreApart() {
        long hva = host.map(0x2000, PageSize.SIZE_4K);
        host.resolve(hva + 0x1000);
        frames.allocate(PageSize.SIZE_4K);
        host.write(hva + 0xffe, new byte[] {1, 2, 3, 4});
        assertThat(host.read(hva + 0xffe, 4)).containsExactly(1, 2, 3, 4);
        assertThat(memory.readByte(host.resolve(hva + 0x1001))).isEqualTo(4);
    }

    @Test
    void whatIsNotThereIsSaid() {
        assertThat(host.resolve(0x1000)).isEqualTo(HostMemory.UNMAPPED);
        assertThat(host.backing(0x1000)).isNull();
        long hva = host.map(1 << 30, PageSize.SIZE_1G);
        assertThat(host.resolve(hva)).isEqualTo(HostMemory.NO_MEMORY);
        assertThatThrownBy(() -> host.write(hva, new byte[1])).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> host.mapAt(hva + 0x1000, 0x1000, PageSize.SIZE_4K))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("overlap");
        assertThatThrownBy(() -> host.mapAt(0x1000, 0x20_0000, PageSize.SIZE_2M))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
