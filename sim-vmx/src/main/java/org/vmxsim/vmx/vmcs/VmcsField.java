package org.vmxsim.vmx.vmcs;

import java.util.List;

/**
 * A field of the VMCS. The four areas of the manual are the four implementations. The encoding is computed from type,
 * width and index (SDM "VMCS Encoding"): bit 0 access type (1: high half of a 64-bit field), 9:1 index, 11:10 type, 12
 * zero, 14:13 width.
 */
public sealed interface VmcsField permits ControlField, ExitField, GuestField, HostField {
    /**
     * The manual's name of the field, in upper case.
     *
     * @return the name, unique within its area
     */
    String name();

    /**
     * The area that the field belongs to.
     *
     * @return its type
     */
    FieldType type();

    /**
     * How wide the field is.
     *
     * @return its width
     */
    FieldWidth width();

    /**
     * Number of the field among those of its type and width.
     *
     * @return bits 9:1 of the encoding
     */
    int index();

    /**
     * The control that a processor must support for the field to exist.
     *
     * @return the requirement
     */
    FieldRequirement requirement();

    /**
     * Place of the field in the array of a {@link Vmcs}.
     *
     * @return 0 to 255
     */
    int slot();

    /**
     * The encoding of the full access.
     *
     * @return what VMREAD and VMWRITE take, bit 0 clear
     */
    default int encoding() {
        return index() << 1 | type().ordinal() << 10 | width().ordinal() << 13;
    }

    /**
     * Whether VMWRITE is refused on processors that do not support writing VM-exit information fields.
     *
     * @return true for VM-exit information
     */
    default boolean readOnly() {
        return type() == FieldType.EXIT_INFORMATION;
    }

    /**
     * The field of an encoding, full or high half.
     *
     * @param encoding what VMREAD and VMWRITE take
     * @return the field, or null if no field has that encoding
     */
    static VmcsField ofEncoding(long encoding) {
        return FieldCatalog.find(encoding);
    }

    /**
     * All fields of the manual, in the order of their encodings.
     *
     * @return an unmodifiable list
     */
    static List<VmcsField> all() {
        return FieldCatalog.all();
    }
}
