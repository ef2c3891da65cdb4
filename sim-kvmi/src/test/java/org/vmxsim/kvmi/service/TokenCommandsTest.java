package org.vmxsim.kvmi.service;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vmxsim.kvmi.memory.MapTokenPolicy;
import org.vmxsim.kvmi.memory.MapTokens;
import org.vmxsim.kvmi.message.Answer;
import org.vmxsim.kvmi.message.KvmiError;
import org.vmxsim.kvmi.message.VmCommand;
import org.vmxsim.kvmi.policy.Dialect;

/** Tokens as a tool gets them. Source: kvmi.rst, "KVMI_GET_MAP_TOKEN". */
class TokenCommandsTest {
    private static byte[] token(CommandRig rig) {
        return rig.ask(Answer.MapToken.class, new VmCommand.GetMapToken()).token();
    }

    @ParameterizedTest
    @EnumSource
    void aTokenIsForThisVirtualMachineOnce(Dialect dialect) {
        CommandRig rig = new CommandRig(dialect);
        rig.fails(KvmiError.EOPNOTSUPP, new VmCommand.GetMapToken());
        MapTokens tokens = new MapTokens(MapTokenPolicy.DEFAULT, 1, () -> 0);
        rig.events.introspection.tokens(tokens);
        byte[] first = token(rig);
        byte[] second = token(rig);
        assertThat(first).hasSize(32).isNotEqualTo(second);
        assertThat(tokens.take(first)).isSameAs(rig.vm);
        assertThat(tokens.take(first)).isNull();
        assertThat(tokens.take(second)).isSameAs(rig.vm);
    }

    @ParameterizedTest
    @EnumSource
    void tokensAreLimited(Dialect dialect) {
        CommandRig rig = new CommandRig(dialect);
        MapTokens tokens = new MapTokens(MapTokenPolicy.DEFAULT, 1, () -> 0);
        rig.events.introspection.tokens(tokens);
        for (int i = 0; i < 64; i++) {
            token(rig);
        }
        rig.fails(KvmiError.EAGAIN, new VmCommand.GetMapToken());
        rig.reconnect();
        token(rig);
        assertThat(tokens.alive(rig.vm)).as("those of the old tool are gone").isEqualTo(1);
    }

    /** In RFC v4 they outlive the tool. */
    @ParameterizedTest
    @EnumSource
    void theFirstPolicyKeepsTokens(Dialect dialect) {
        CommandRig rig = new CommandRig(dialect);
        MapTokens tokens = new MapTokens(MapTokenPolicy.V4, 1, () -> 0);
        rig.events.introspection.tokens(tokens);
        token(rig);
        rig.close();
        assertThat(tokens.alive(rig.vm)).isEqualTo(1);
    }
}
