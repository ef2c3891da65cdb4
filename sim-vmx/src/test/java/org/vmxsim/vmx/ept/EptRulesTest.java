package org.vmxsim.vmx.ept;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class EptRulesTest {
    private static final String[] KINDS = {"", "PTE", "PDE", "PDPTE", "PML4E", "PML5E"};

    /** Every combination of the capabilities that decide, at four widths. */
    static List<EptCapabilities> capabilities() {
        List<EptCapabilities> all = new ArrayList<>();
        for (int width : new int[] {36, 39, 46, 52}) {
            for (int c = 0; c < 8; c++) {
                all.add(with(width, (c & 1) != 0, (c & 2) != 0, (c & 4) != 0));
            }
        }
        return all;
    }

    static EptCapabilities with(int width, boolean executeOnly, boolean pages2m, boolean pages1g) {
        return new EptCapabilities(
                width, executeOnly, pages2m, pages1g, true, true, true, true, true, true, true, true, true);
    }

    @ParameterizedTest
    @MethodSource("capabilities")
    @DisplayName(
            "EPT Misconfigurations: every bit, pair of bits and permission at every level, against a second reading")
    void misconfigurationsAgreeWithANaiveReading(EptCapabilities capabilities) {
        for (boolean modeBased : new boolean[] {false, true}) {
            NaiveEpt naive = new NaiveEpt(capabilities, modeBased, hpa -> 0);
            for (int level = 1; level <= 5; level++) {
                for (int low = 0; low < 4096; low++) {
                    check(naive, low, level);
                }
                for (int permissions = 0; permissions < 8; permissions++) {
                    for (int first = 3; first < 64; first++) {
                        for (int second = 3; second <= first; second++) {
                            check(naive, permissions | 1L << first | 1L << second, level);
                        }
                    }
                }
            }
        }
    }

    private static void check(NaiveEpt naive, long entry, int level) {
        boolean present = (entry & 7) != 0 || naive.modeBased && NaiveEpt.bit(entry, 10);
        if (EptRules.isPresent(entry, naive.modeBased) != present
                || present
                        && EptRules.isMisconfigured(entry, level, naive.capabilities, naive.modeBased)
                                != naive.isMisconfigured(KINDS[level], entry)) {
            throw new AssertionError("entry 0x" + Long.toHexString(entry) + " level " + level + " mode-based "
                    + naive.modeBased + " " + naive.capabilities);
        }
    }

    @ParameterizedTest(name = "level {0}, entry {1}: {2}")
    @CsvSource(textBlock = """
            # typed from the tables "Format of an EPT ... Entry", width 46, everything supported
            5, 0x0000000000001007, ok
            5, 0x0000000000001087, misconfigured
            4, 0x0000000000001007, ok
            4, 0x0000000000001087, misconfigured
            4, 0x000000000000100f, misconfigured
            4, 0xfff0000000001f07, ok
            3, 0x0000000000001007, ok
            3, 0x00000000000010b7, misconfigured
            3, 0x00000000400000b7, ok
            3, 0x00000000200000b7, misconfigured
            3, 0x0000000040001087, misconfigured
            2, 0x00000000002000b7, ok
            2, 0x00000000001000b7, misconfigured
            2, 0x00000000002010b7, misconfigured
            2, 0x0000000000201017, misconfigured
            2, 0x0000000000201047, misconfigured
            1, 0x0000000000001037, ok
            1, 0x00000000000010b7, ok
            1, 0x0000000000001017, misconfigured
            1, 0x000000000000101f, misconfigured
            1, 0x000000000000103f, misconfigured
            1, 0x000000000000102f, ok
            1, 0x0000400000001037, misconfigured
            1, 0x0008000000001037, misconfigured
            1, 0xbff0000000001f77, ok
            1, 0x0000000000001032, misconfigured
            1, 0x0000000000001036, misconfigured
            1, 0x0000000000001034, ok
            """)
    void misconfigurationsAreTheManuals(int level, String entry, String verdict) {
        boolean misconfigured = EptRules.isMisconfigured(
                Long.parseUnsignedLong(entry.substring(2), 16), level, EptCapabilities.ALL, false);

        assertThat(misconfigured).isEqualTo(verdict.equals("misconfigured"));
    }

    @ParameterizedTest(name = "EPTP {0}: {1}")
    @CsvSource(textBlock = """
            # width 46, everything supported
            0x000000000000101e, true
            0x000000000000105e, true
            0x000000000000109e, true
            0x0000000000001018, true
            0x0000000000001026, true
            0x000000000000101c, false
            0x0000000000001016, false
            0x000000000000102e, false
            0x000000000000111e, false
            0x000000000000181e, false
            0x00004000000010de, false
            0x800000000000101e, false
            0x00003ffffffff01e, true
            """)
    void eptPointersAreCheckedAsAtVmEntry(String eptp, boolean valid) {
        assertThat(Eptp.isValid(Long.parseUnsignedLong(eptp.substring(2), 16), EptCapabilities.ALL))
                .isEqualTo(valid);
    }

    @Test
    void eptPointersNeedTheirCapabilities() {
        EptCapabilities plain = new EptCapabilities(
                46, false, true, false, false, false, false, false, false, false, false, false, false);

        assertThat(Eptp.isValid(0x101e, plain)).isTrue();
        assertThat(Eptp.isValid(0x1018, plain)).as("UC").isFalse();
        assertThat(Eptp.isValid(0x1026, plain)).as("five levels").isFalse();
        assertThat(Eptp.isValid(0x105e, plain)).as("accessed and dirty flags").isFalse();
        assertThat(Eptp.isValid(0x109e, plain)).as("supervisor shadow stack").isFalse();
    }

    @Test
    void eptPointersAreBuiltAsTheManualDraws() {
        assertThat(Eptp.of(0x1234_5000, 4, false)).isEqualTo(0x1234_501e);
        assertThat(Eptp.of(0x1234_5000, 5, true)).isEqualTo(0x1234_5066);
        assertThat(Eptp.levels(0x1234_5066)).isEqualTo(5);
        assertThat(Eptp.root(0x1234_5066)).isEqualTo(0x1234_5000);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Eptp.of(0x1800, 4, false))
                .withMessageContaining("0x1800");
    }

    @Test
    void capabilityMsrsAreTheManuals() {
        // A Skylake server: execute-only, walk length 4, UC, WB, 2M, 1G, INVEPT, A/D, INVVPID.
        EptCapabilities skylake = EptCapabilities.of(0x0000_0f01_0633_4141L, 0x0053_edff, 46);

        assertThat(skylake)
                .isEqualTo(new EptCapabilities(
                        46, true, true, true, false, true, true, false, false, true, false, false, true));
        assertThat(skylake.eptVpidCap()).isEqualTo(0x0023_4141);
        assertThat(EptCapabilities.ALL.eptVpidCap()).isEqualTo(0x00e3_41c1);
        assertThat(EptCapabilities.ALL.secondaryControls()).isEqualTo(0x00c6_0000);
        assertThat(EptCapabilities.of(0x00e3_41c1, 0x00c6_0000, 46)).isEqualTo(EptCapabilities.ALL);
        assertThatIllegalArgumentException().isThrownBy(() -> EptCapabilities.of(0, 0, 53));
        assertThatIllegalArgumentException().isThrownBy(() -> EptCapabilities.of(0, 0, 31));
        assertThat(EptCapabilities.of(0, 0, 32).addressBitsBeyondWidth()).isEqualTo(0x000f_ffff_0000_0000L);
        assertThat(EptCapabilities.of(0, 0, 52).addressBitsBeyondWidth()).isZero();
    }

    @Test
    void controlsBeginWithFourLevelsAndNothingElse() {
        EptControls controls = new EptControls();

        assertThat(controls.eptp()).isEqualTo(0x1e);
        assertThat(controls.levels()).isEqualTo(4);
        assertThat(controls.accessedDirty()).isFalse();
        assertThat(controls.supervisorShadowStack()).isFalse();
    }

    @Test
    void bitsOfAnEntryAreTheManuals() {
        assertThat(EptEntry.READ.mask()).isEqualTo(0x1);
        assertThat(EptEntry.WRITE.mask()).isEqualTo(0x2);
        assertThat(EptEntry.EXECUTE.mask()).isEqualTo(0x4);
        assertThat(EptEntry.PERMISSIONS.mask()).isEqualTo(0x7);
        assertThat(EptEntry.MEMORY_TYPE.mask()).isEqualTo(0x38);
        assertThat(EptEntry.IGNORE_PAT.mask()).isEqualTo(0x40);
        assertThat(EptEntry.LEAF.mask()).isEqualTo(0x80);
        assertThat(EptEntry.ACCESSED.mask()).isEqualTo(0x100);
        assertThat(EptEntry.DIRTY.mask()).isEqualTo(0x200);
        assertThat(EptEntry.USER_EXECUTE.mask()).isEqualTo(0x400);
        assertThat(EptEntry.ADDRESS.mask()).isEqualTo(0x000f_ffff_ffff_f000L);
        assertThat(EptEntry.SUPERVISOR_SHADOW_STACK.mask()).isEqualTo(0x1000_0000_0000_0000L);
        assertThat(EptEntry.SPP.mask()).isEqualTo(0x2000_0000_0000_0000L);
        assertThat(EptEntry.SUPPRESS_VE.mask()).isEqualTo(0x8000_0000_0000_0000L);
    }

    @Test
    void reservedMemoryTypes() {
        for (int type = 0; type < 8; type++) {
            assertThat(EptRules.isReservedMemoryType(type))
                    .isEqualTo(List.of(2, 3, 7).contains(type));
        }
    }
}
