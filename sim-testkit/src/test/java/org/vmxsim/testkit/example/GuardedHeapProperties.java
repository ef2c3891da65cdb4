package org.vmxsim.testkit.example;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import net.jqwik.api.Assume;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.vmxsim.testkit.PermissionMachine;
import org.vmxsim.testkit.value.GuestAccess;

class GuardedHeapProperties {
    GuardedHeap heap() {
        return new GuardedHeap(0x20_0000);
    }

    @Property(tries = 500)
    void writesStayInTheirObject(
            @ForAll @Size(min = 1, max = 8) List<@IntRange(min = 1, max = 700) Integer> sizes,
            @ForAll @IntRange(max = 7) int object,
            @ForAll @IntRange(max = 827) int offset) {
        GuardedHeap heap = heap();
        List<Long> gpas = sizes.stream().map(heap::allocate).toList();
        PermissionMachine machine = PermissionMachine.create().map(0x200, 2);
        heap.bitmaps().forEach(machine::protect);

        int size = sizes.get(object % sizes.size());
        Assume.that(offset < size + 128);
        GuestAccess write = GuestAccess.write(gpas.get(object % sizes.size()) + offset, 1);
        assertThat(machine.access(write).allowed()).isEqualTo(offset < size);
    }
}
