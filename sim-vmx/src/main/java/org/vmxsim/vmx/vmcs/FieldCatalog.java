package org.vmxsim.vmx.vmcs;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/** All fields, by encoding. */
final class FieldCatalog {
    private static final int ENCODINGS = 1 << 15;
    private static final VmcsField[] BY_HALF_ENCODING = new VmcsField[ENCODINGS / 2];
    private static final List<VmcsField> ALL;

    static {
        enter(ControlField.values());
        enter(ExitField.values());
        enter(GuestField.values());
        enter(HostField.values());
        ALL = Arrays.stream(BY_HALF_ENCODING).filter(Objects::nonNull).toList();
    }

    private FieldCatalog() {}

    private static void enter(VmcsField[] fields) {
        for (VmcsField field : fields) {
            BY_HALF_ENCODING[field.encoding() >> 1] = field;
        }
    }

    static List<VmcsField> all() {
        return ALL;
    }

    static VmcsField find(long encoding) {
        if (encoding < 0 || encoding >= ENCODINGS) {
            return null;
        }
        VmcsField field = BY_HALF_ENCODING[(int) encoding >> 1];
        boolean high = (encoding & 1) != 0;
        return field == null || high && field.width() != FieldWidth.QUAD ? null : field;
    }
}
