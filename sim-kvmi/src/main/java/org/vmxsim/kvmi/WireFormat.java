package org.vmxsim.kvmi;

import java.util.UUID;
import org.vmxsim.kvmi.policy.Dialect;
import org.vmxsim.kvmi.wire.Handshake;
import org.vmxsim.kvmi.wire.codec.BranchV7Codec;
import org.vmxsim.kvmi.wire.codec.Codec;
import org.vmxsim.kvmi.wire.codec.V4Codec;
import org.vmxsim.kvmi.wire.codec.V4Quirk;

/** The wire formats by name: each has its codec, its greeting and its description of what commands do. */
public enum WireFormat {
    /** RFC v4, 18 December 2017; greeting of 20 bytes. */
    V4(Dialect.V4),
    /** RFC v4 as its code is, and not its document. */
    STRICT_V4(Dialect.V4),
    /** The branch kvmi-v7, which libkvmi and LibVMI speak; greeting of 96 bytes. */
    BRANCH_V7(Dialect.BRANCH_V7);

    private final Dialect dialect;

    WireFormat(Dialect dialect) {
        this.dialect = dialect;
    }

    /**
     * Which description counts.
     *
     * @return the dialect
     */
    public Dialect dialect() {
        return dialect;
    }

    /**
     * How messages are written.
     *
     * @return a codec
     */
    public Codec codec() {
        return switch (this) {
            case V4 -> new V4Codec();
            case STRICT_V4 -> new V4Codec(V4Quirk.all());
            case BRANCH_V7 -> new BranchV7Codec();
        };
    }

    /**
     * What the machine says first.
     *
     * @param uuid identity of the virtual machine
     * @param name its name, which RFC v4 does not tell
     * @param startTimeSeconds when it was started, in seconds since the epoch, which RFC v4 does not tell
     * @return the handshake
     */
    public Handshake handshake(UUID uuid, String name, long startTimeSeconds) {
        return this == BRANCH_V7 ? Handshake.named(uuid, name, startTimeSeconds) : Handshake.echo(uuid);
    }
}
