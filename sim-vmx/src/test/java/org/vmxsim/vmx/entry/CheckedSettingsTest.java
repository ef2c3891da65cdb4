package org.vmxsim.vmx.entry;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.vmxsim.vmx.vmcs.ControlField;
import org.vmxsim.vmx.vmcs.ExitField;
import org.vmxsim.vmx.vmcs.GuestField;
import org.vmxsim.vmx.vmcs.HostField;
import org.vmxsim.vmx.vmcs.Vmcs;
import org.vmxsim.vmx.vmcs.VmcsField;

/** Checks of VM entry are left out only if nothing that they look at has changed. */
class CheckedSettingsTest {
    private final Vmcs vmcs = new Vmcs(0x2000);
    private final CheckedSettings checked = new CheckedSettings();

    @BeforeEach
    void passes() {
        vmcs.set(GuestField.CR0, 0x8000_0031L);
        checked.passed(fields(vmcs, true), false);
    }

    private static EntryFields fields(Vmcs of, boolean ia32e) {
        return new EntryFields(null, null, null).take(of, ia32e);
    }

    private boolean holds() {
        return checked.holdsFor(fields(vmcs, true), false);
    }

    private void assertChangeIsSeen(VmcsField field) {
        assertThat(holds()).isTrue();
        vmcs.set(field, vmcs.get(field));
        assertThat(holds()).as("same value of %s", field).isTrue();
        vmcs.set(field, vmcs.get(field) ^ 1);
        assertThat(holds()).as("other value of %s", field).isFalse();
        checked.passed(fields(vmcs, true), false);
    }

    @Test
    void eachControlAndEachFieldOfTheHostCounts() {
        for (ControlField field : ControlField.values()) {
            assertChangeIsSeen(field);
        }
        for (HostField field : HostField.values()) {
            assertChangeIsSeen(field);
        }
    }

    @Test
    void ofTheGuestOnlyProtectedModeCounts() {
        for (ExitField field : ExitField.values()) {
            vmcs.set(field, 0x55);
        }
        for (GuestField field : GuestField.values()) {
            vmcs.set(field, 0x55);
        }
        assertThat(holds()).isTrue();

        vmcs.set(GuestField.CR0, 0x30);
        assertThat(holds()).isFalse();
    }

    @Test
    void theModeOfTheProcessorTheVmcsAndWhoEntersCount() {
        assertThat(checked.holdsFor(fields(vmcs, false), false)).isFalse();
        assertThat(checked.holdsFor(fields(new Vmcs(0x2000), true), false)).isFalse();
        assertThat(checked.holdsFor(fields(vmcs, true), true)).isTrue();

        checked.passed(fields(vmcs, true), true);
        assertThat(checked.holdsFor(fields(vmcs, true), true)).isTrue();
        assertThat(checked.holdsFor(fields(vmcs, true), false)).as("host state").isFalse();

        vmcs.reset();
        assertThat(checked.holdsFor(fields(vmcs, true), true)).isFalse();
    }
}
