package org.vmxsim.spp;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.EnumSet;
import java.util.Set;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class SppOptionsTest {
    private static final Set<SppOptions.WriteKind> KINDS =
            Set.of(SppOptions.WriteKind.LOCKED, SppOptions.WriteKind.CROSSING_SUB_PAGES);

    @Test
    @DisplayName("Each variant changes its option and leaves the others")
    void variantsAddUp() {
        SppOptions all = SppOptions.DEFAULT
                .withInvalidEntry(SppOptions.InvalidEntry.MISCONFIGURATION)
                .withCrossing(SppOptions.Crossing.FIRST_BYTE)
                .withNotEligible(KINDS)
                .withSpuriousDenialInterval(7)
                .withCacheVectors(false)
                .withFiveLevelEpt(SppOptions.FiveLevelEpt.NOT_SUPPORTED)
                .withShadowStack(SppOptions.ShadowStack.NEVER)
                .withUpdateReportsRead(true);

        assertThat(all)
                .isEqualTo(new SppOptions(
                        SppOptions.InvalidEntry.MISCONFIGURATION,
                        SppOptions.Crossing.FIRST_BYTE,
                        KINDS,
                        7,
                        false,
                        SppOptions.FiveLevelEpt.NOT_SUPPORTED,
                        SppOptions.ShadowStack.NEVER,
                        true));
    }

    @Test
    @DisplayName("A permission may be cached if the vector alone decides")
    void whatElseDecidesForbidsCaching() {
        assertThat(SppOptions.DEFAULT.permissionsMayBeCached()).isTrue();
        assertThat(SppOptions.DEFAULT
                        .withCrossing(SppOptions.Crossing.FIRST_BYTE)
                        .permissionsMayBeCached())
                .isTrue();
        assertThat(SppOptions.DEFAULT.withCacheVectors(false).permissionsMayBeCached())
                .isFalse();
        assertThat(SppOptions.DEFAULT.withNotEligible(KINDS).permissionsMayBeCached())
                .isFalse();
        assertThat(SppOptions.DEFAULT.withSpuriousDenialInterval(1).permissionsMayBeCached())
                .isFalse();
    }

    @Test
    void theSetOfKindsIsCopied() {
        Set<SppOptions.WriteKind> kinds = EnumSet.of(SppOptions.WriteKind.LOCKED);
        SppOptions options = SppOptions.DEFAULT.withNotEligible(kinds);
        kinds.clear();

        assertThat(options.notEligible()).containsExactly(SppOptions.WriteKind.LOCKED);
    }
}
