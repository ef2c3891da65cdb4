package org.vmxsim.vmx.vmcs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.vmxsim.core.model.CpuModel;
import org.vmxsim.vmx.control.VmxCapabilities;

class VmcsFieldTest {
    private static Map<String, Long> typedList() throws IOException {
        try (InputStream file = VmcsFieldTest.class.getResourceAsStream("fields.txt")) {
            Map<String, Long> encodings = new LinkedHashMap<>();
            for (String line : new String(file.readAllBytes(), StandardCharsets.UTF_8).split("\n")) {
                if (!line.startsWith("#")) {
                    String[] word = line.split(" ");
                    encodings.put(word[1] + "." + word[2], Long.decode(word[0]));
                }
            }
            return encodings;
        }
    }

    private static String key(VmcsField field) {
        return field.getClass().getSimpleName() + "." + field.name();
    }

    @Test
    void encodingsAreThoseOfTheTypedList() throws IOException {
        Map<String, Long> computed = new LinkedHashMap<>();
        VmcsField.all().forEach(field -> computed.put(key(field), (long) field.encoding()));

        assertThat(computed).containsExactlyInAnyOrderEntriesOf(typedList());
    }

    @Test
    void slotsAreDistinctAndFitTheRegion() {
        assertThat(VmcsField.all().stream().map(VmcsField::slot).distinct())
                .hasSameSizeAs(VmcsField.all())
                .allMatch(slot -> slot >= 0 && slot < 256);
    }

    @Test
    void onlyFieldsOf64BitsHaveAHighHalf() {
        for (VmcsField field : VmcsField.all()) {
            assertThat(VmcsField.ofEncoding(field.encoding())).isSameAs(field);
            assertThat(VmcsField.ofEncoding(field.encoding() | 1))
                    .isSameAs(field.width() == FieldWidth.QUAD ? field : null);
        }
        assertThat(VmcsField.ofEncoding(0x2031)).isEqualTo(ControlField.SUB_PAGE_PERMISSION_TABLE_POINTER);
    }

    @Test
    void whatIsNoEncodingIsNoField() {
        long[] noEncodings = {-1, 0x8000, 0x1_0000_681eL, 0x10, 0x2046, 0x482c, 0x6010, 0x1000};
        for (long encoding : noEncodings) {
            assertThat(VmcsField.ofEncoding(encoding)).as("0x%x", encoding).isNull();
        }
    }

    @Test
    void theSubPagePointerExistsOnlyWithSubPageWritePermissions() {
        assertThat(existingOn("icelake-sp")).contains(ControlField.SUB_PAGE_PERMISSION_TABLE_POINTER);
        assertThat(existingOn("max")).contains(ControlField.SUB_PAGE_PERMISSION_TABLE_POINTER);
        assertThat(existingOn("skylake-sp"))
                .doesNotContain(ControlField.SUB_PAGE_PERMISSION_TABLE_POINTER)
                .contains(ControlField.EPT_POINTER, GuestField.PML_INDEX, ControlField.TSC_MULTIPLIER);
    }

    @Test
    void theEnumerationMsrNamesTheHighestIndex() {
        long highest =
                existingOn("max").stream().mapToLong(VmcsField::index).max().orElseThrow();

        assertThat(VmxCapabilities.of(CpuModel.named("max")).msr(0x48a, 1)).isEqualTo(highest << 1);
    }

    private static List<VmcsField> existingOn(String model) {
        VmxCapabilities capabilities = VmxCapabilities.of(CpuModel.named(model));
        return VmcsField.all().stream()
                .filter(field -> field.requirement().metBy(capabilities))
                .toList();
    }
}
