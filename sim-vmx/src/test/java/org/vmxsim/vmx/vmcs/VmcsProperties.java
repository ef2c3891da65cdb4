package org.vmxsim.vmx.vmcs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.vmxsim.core.memory.PhysicalMemory;

class VmcsProperties {
    @Property(tries = 50)
    void whatIsStoredIsLoaded(@ForAll long seed, @ForAll boolean launched) {
        PhysicalMemory memory = PhysicalMemory.sparse(1 << 20);
        Vmcs written = new Vmcs(0x3000);
        Random random = new Random(seed);
        VmcsField.all().forEach(field -> written.set(field, random.nextLong()));
        written.launched(launched);
        written.store(memory);

        Vmcs read = new Vmcs(0x3000);
        read.load(memory);

        assertThat(read.launched()).isEqualTo(launched);
        for (VmcsField field : VmcsField.all()) {
            assertThat(read.get(field)).as(field.name()).isEqualTo(written.get(field));
        }
        assertThat(memory.readLong(0x3000)).as("revision and abort indicator").isZero();
    }

    @Example
    void fieldsKeepTheirWidth() {
        Vmcs vmcs = new Vmcs(0x1000);
        for (VmcsField field : VmcsField.all()) {
            vmcs.set(field, -1);
            long bits = switch (field.encoding() >> 13 & 3) {
                case 0 -> 0xffffL;
                case 2 -> 0xffff_ffffL;
                default -> -1L;
            };
            assertThat(vmcs.get(field)).as(field.name()).isEqualTo(bits);
        }
    }

    @Example
    void aRegionIsAligned() {
        assertThatThrownBy(() -> new Vmcs(0x1800)).isInstanceOf(IllegalArgumentException.class);
    }
}
