package org.vmxsim.testkit.table;

import java.util.List;
import java.util.StringJoiner;
import org.vmxsim.testkit.value.SubPageVector;

/**
 * The SPPT entries on the way to the vector of one page. Addresses are filled in when the tables are laid out; all
 * other bits are as they are here, legal or not.
 *
 * @param gpa a guest-physical address in the page
 * @param entries the entries of level 4, 3 and 2; bit 0 is the valid bit
 * @param vector the vector
 */
public record SpptPath(long gpa, List<Long> entries, SubPageVector vector) {
    /**
     * Copies the list.
     *
     * @throws IllegalArgumentException if there are not 3 entries or the address is not page-aligned
     */
    public SpptPath {
        entries = List.copyOf(entries);
        if (entries.size() != 3 || (gpa & 0xfff) != 0) {
            throw new IllegalArgumentException("need 3 entries and an aligned address, got gpa=0x"
                    + Long.toHexString(gpa) + " entries=" + entries.size());
        }
    }

    @Override
    public String toString() {
        StringJoiner text = new StringJoiner(" ", "SPPT 0x" + Long.toHexString(gpa) + ": ", "");
        entries.forEach(entry -> text.add("0x" + Long.toHexString(entry)));
        return text + " vector " + vector;
    }
}
