package org.vmxsim.core.memory;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TableReadTest {
    @Test
    void anEntryIsTheLongAtTheSum() {
        PhysicalMemory memory = new PhysicalMemory();
        memory.addFlatRam(0x10_0000, 0x8000);
        memory.addRam(0x40_0000, 0x41_000);
        memory.addRam(1L << 45, 0x2000);
        // the flat region, its last page, a hole behind it, a whole chunk, a piece of one, untouched RAM, beyond a TiB
        long[] tables = {0x10_0000, 0x10_7000, 0x10_8000, 0x40_0000, 0x44_0000, 0x41_f000, 1L << 45, 1L << 50};
        for (long table : tables) {
            memory.writeLong(table + 0xff8, ~table);
            memory.writeLong(table + 8, table + 5);
        }
        for (long table : tables) {
            for (long offset = 0; offset < 4096; offset += 8) {
                assertThat(memory.readEntry(table, offset)).isEqualTo(memory.readLong(table + offset));
            }
        }
        assertThat(memory.readEntry(0x10_7000, 0xff8)).isEqualTo(~0x10_7000L);
        assertThat(memory.readEntry(0x40_0000, 8)).isEqualTo(0x40_0005);
        assertThat(memory.readEntry(0x10_8000, 8)).isEqualTo(-1);
    }
}
