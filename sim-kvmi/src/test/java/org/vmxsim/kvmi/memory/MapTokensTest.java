package org.vmxsim.kvmi.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.Test;
import org.vmxsim.kvmi.message.KvmiError;
import org.vmxsim.mmu.Vcpu;
import org.vmxsim.mmu.Vm;

class MapTokensTest {
    private static final long SECOND = 1_000_000_000L;

    private static MappingWorld world(MapTokenPolicy policy) {
        return new MappingWorld(Set.of(), policy);
    }

    @Test
    void aTokenIsGoodOnce() {
        MappingWorld world = world(MapTokenPolicy.V4);
        Vm vm = world.kvm.createVm();
        Vm other = world.kvm.createVm();
        byte[] token = world.token(vm);
        byte[] otherToken = world.token(other);
        assertThat(token).hasSize(32).isNotEqualTo(otherToken);
        assertThat(world.tokens.take(new byte[32])).isNull();
        assertThat(world.tokens.take(otherToken)).isSameAs(other);
        assertThat(world.tokens.take(token)).isSameAs(vm);
        assertThat(world.tokens.take(token)).isNull();
    }

    @Test
    void theCallersArrayIsNotTheToken() {
        MappingWorld world = world(MapTokenPolicy.V4);
        byte[] token = world.token(world.kvm.createVm());
        byte[] copy = token.clone();
        token[0] ^= 1;
        assertThat(world.tokens.take(token)).isNull();
        assertThat(world.tokens.take(copy)).isNotNull();
    }

    @Test
    void equalSeedsGiveEqualTokens() {
        List<byte[]> made = new ArrayList<>();
        for (int run = 0; run < 2; run++) {
            MappingWorld world = world(MapTokenPolicy.V4);
            made.add(world.token(world.kvm.createVm()));
        }
        assertThat(made.get(0)).isEqualTo(made.get(1));
    }

    @Test
    void inV4NothingButTheVirtualMachineEndsThem() {
        MappingWorld world = world(MapTokenPolicy.V4);
        Vm vm = world.kvm.createVm();
        byte[] token = world.token(vm);
        for (int i = 0; i < 1000; i++) {
            world.token(vm);
        }
        world.nanos = 1000 * SECOND;
        world.tokens.unhooked(vm);
        assertThat(world.tokens.alive(vm)).isEqualTo(1001);
        assertThat(world.tokens.isPinned(vm)).isFalse();
        assertThat(world.tokens.take(token)).isSameAs(vm);
        world.tokens.vmDestroyed(vm);
        assertThat(world.tokens.alive(vm)).isZero();
    }

    @Test
    void v6RefusesWhenMoreThanEightAreAlive() {
        MappingWorld world = world(MapTokenPolicy.V6);
        Vm vm = world.kvm.createVm();
        byte[] first = world.token(vm);
        for (int alive = 1; alive <= 8; alive++) {
            world.token(vm);
        }
        MapTokens.Issued refused = world.tokens.issue(vm);
        assertThat(refused.error()).isEqualTo(KvmiError.EAGAIN);
        assertThat(refused.token()).isNull();
        world.token(world.kvm.createVm());
        world.tokens.take(first);
        world.token(vm);
    }

    @Test
    void byDefaultThereAreUpTo64() {
        MappingWorld world = world(MapTokenPolicy.DEFAULT);
        Vm vm = world.kvm.createVm();
        for (int i = 0; i < 64; i++) {
            world.token(vm);
        }
        assertThat(world.tokens.issue(vm).error()).isEqualTo(KvmiError.EAGAIN);
    }

    @Test
    void theTimerTakesWhatIsOlderThanThreeSeconds() {
        MappingWorld world = world(MapTokenPolicy.V6);
        world.nanos = SECOND / 2;
        Vm vm = world.kvm.createVm();
        byte[] token = world.token(vm);
        world.nanos = 4 * SECOND - 1; // 3.5 s old, but the timer came round at 3 s last
        assertThat(world.tokens.alive(vm)).isEqualTo(1);
        assertThat(world.tokens.isPinned(vm)).isTrue();
        world.nanos = 4 * SECOND;
        assertThat(world.tokens.take(token)).isNull();
        assertThat(world.tokens.isPinned(vm)).isFalse();
    }

    @Test
    void threeSecondsAreNotOlderThanThreeSeconds() {
        MappingWorld world = world(MapTokenPolicy.V6);
        Vm vm = world.kvm.createVm();
        world.token(vm);
        world.nanos = 3 * SECOND;
        assertThat(world.tokens.alive(vm)).isEqualTo(1);
        world.nanos = 4 * SECOND;
        assertThat(world.tokens.alive(vm)).isZero();
    }

    @Test
    void theEndOfIntrospectionTakesThemInV6() {
        MappingWorld world = world(MapTokenPolicy.V6);
        Vm vm = world.kvm.createVm();
        Vm other = world.kvm.createVm();
        world.token(vm);
        world.token(other);
        world.tokens.vmDestroyed(vm);
        assertThat(world.tokens.alive(vm)).isEqualTo(1);
        world.tokens.unhooked(vm);
        assertThat(world.tokens.alive(vm)).isZero();
        assertThat(world.tokens.alive(other)).isEqualTo(1);
    }

    @Test
    void withoutKernelMemoryThereIsNone() {
        MappingWorld world = world(MapTokenPolicy.V4);
        Vm vm = world.kvm.createVm();
        world.kernelMemory = false;
        assertThat(world.tokens.issue(vm).error()).isEqualTo(KvmiError.ENOMEM);
        assertThat(world.tokens.alive(vm)).isZero();
    }

    @Test
    void simulatedTimeIsTheProcessors() {
        MappingWorld world = world(MapTokenPolicy.V4);
        Vm vm = world.vm(0);
        Vcpu vcpu = vm.createVcpu();
        LongSupplier clock = MapTokens.clockOf(vcpu);
        // MOV ECX, 1000; DEC ECX; JNZ; HLT
        vm.memory().load(0x100, new byte[] {(byte) 0xb9, (byte) 0xe8, 3, 0, 0, 0x49, 0x75, (byte) 0xfd, (byte) 0xf4});
        assertThat(clock.getAsLong()).isZero();
        MappingWorld.start(vcpu, 0x100, 0, 0);
        MappingWorld.runToHlt(vcpu);
        double ticks = vcpu.processor().timeStamp();
        assertThat(ticks).isGreaterThan(2000);
        assertThat((double) clock.getAsLong())
                .isBetween(ticks * 1e9 / world.kvm.tscHz() - 1, ticks * 1e9 / world.kvm.tscHz());
    }

    @Test
    void aPolicyNeedsPositiveNumbers() {
        assertThatThrownBy(() -> MapTokenPolicy.V6.withLimit(0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("limit=0");
    }
}
