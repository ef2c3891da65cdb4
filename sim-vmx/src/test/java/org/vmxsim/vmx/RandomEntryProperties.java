package org.vmxsim.vmx;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import net.jqwik.api.Example;
import org.vmxsim.vmx.control.PinControls;
import org.vmxsim.vmx.control.VmxStatus;
import org.vmxsim.vmx.vmcs.ControlField;
import org.vmxsim.vmx.vmcs.GuestField;
import org.vmxsim.vmx.vmcs.Vmcs;
import org.vmxsim.vmx.vmcs.VmcsField;

/** Whatever a VMCS holds, VM entry answers as the manual says, and the guest runs or exits: no Java exception. */
class RandomEntryProperties {
    private static final int CASES = 100_000;

    private static final List<VmcsField> FIELDS = VmcsField.all().stream()
            .filter(field -> !field.readOnly())
            .filter(field ->
                    field.requirement().metBy(GuestFixture.longMode().vmx.capabilities()))
            .toList();

    private final Random random = new Random(1);
    private GuestFixture guest = interruptible();
    private final long[] good = FIELDS.stream().mapToLong(guest::read).toArray();
    private final List<Integer> broken = new ArrayList<>();
    private boolean restore = true;
    private int entered;

    private static GuestFixture interruptible() {
        return GuestFixture.longMode().add(ControlField.PIN_CONTROLS, PinControls.EXTERNAL_INTERRUPT_EXITING);
    }

    @Example
    void noContentsOfAVmcsEscapeTheRules() {
        for (int i = 0; i < CASES; i++) {
            scramble(random.nextInt(100) == 0 ? FIELDS.size() : random.nextInt(4));
            enter(i);
        }
        assertThat(entered).as("enough entries succeed for the guest to matter").isGreaterThan(CASES / 20);
    }

    private void scramble(int count) {
        for (int i = 0; i < good.length && restore; i++) {
            guest.write(FIELDS.get(i), good[i]);
        }
        restore = false;
        broken.forEach(number -> guest.write(FIELDS.get(number), good[number]));
        broken.clear();
        for (int i = 0; i < count; i++) {
            int number = random.nextInt(good.length);
            guest.write(FIELDS.get(number), value(good[number]));
            broken.add(number);
        }
    }

    private long value(long old) {
        return switch (random.nextInt(4)) {
            case 0 -> random.nextLong();
            case 1 -> old ^ 1L << random.nextInt(64);
            case 2 -> random.nextInt(1 << 20) & ~0xfffL;
            default -> random.nextInt(64);
        };
    }

    private void enter(int seed) {
        VmxStatus status = guest.vmx.vmlaunch();
        if (status == VmxStatus.SUCCEED) {
            entered++;
            restore = true;
            guest.cpu.run(20);
            if (guest.vmx.inNonRoot() && !guest.vmx.kick()) {
                guest = interruptible();
            }
        }
        assertThat(guest.vmx.inNonRoot()).as("case %d", seed).isFalse();
        guest.cpu.interruptibility = 0;
        assertThat(guest.vmx.vmclear(GuestFixture.VMCS)).isEqualTo(VmxStatus.SUCCEED);
        guest.machine.memory().writeInt(GuestFixture.VMCS, Vmcs.REVISION);
        assertThat(guest.vmx.vmptrld(GuestFixture.VMCS)).isEqualTo(VmxStatus.SUCCEED);
    }

    @Example
    void fieldsOfTheFixtureAreTheOnesThatVmlaunchAccepts() {
        assertThat(guest.read(ControlField.VPID)).isEqualTo(1);
        assertThat(guest.read(GuestField.RIP)).isEqualTo(GuestFixture.CODE);
        assertThat(guest.vmx.vmlaunch()).isEqualTo(VmxStatus.SUCCEED);
    }
}
