package org.vmxsim.kvmi.wire.codec;

import java.util.EnumSet;
import java.util.Set;

/**
 * Where the code of the fourth posting (18 December 2017) departs from its document in what it accepts. A codec with a
 * quirk behaves as the code does, without it as the document says.
 */
public enum V4Quirk {
    /** A number without a command ends the connection, instead of ENOSYS. */
    UNKNOWN_COMMAND_CLOSES,
    /** A read or write of no bytes or across a page boundary ends the connection, instead of EINVAL. */
    BAD_RANGE_CLOSES,
    /** GET_VERSION shows no commands and no events. */
    VERSION_HIDES_MASKS,
    /** Padding may hold anything, instead of EINVAL. */
    PADDING_IGNORED,
    /**
     * An array may be left out whatever its count says, instead of ending the connection. The kernel then reads what
     * lies behind the message; here that is zeros.
     */
    ABSENT_ARRAY_ACCEPTED;

    /**
     * All of them: the code as posted.
     *
     * @return a new set
     */
    public static Set<V4Quirk> all() {
        return EnumSet.allOf(V4Quirk.class);
    }
}
