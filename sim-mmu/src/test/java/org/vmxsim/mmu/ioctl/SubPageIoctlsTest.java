package org.vmxsim.mmu.ioctl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vmxsim.mmu.ioctl.RawVm.GET;
import static org.vmxsim.mmu.ioctl.RawVm.INIT;
import static org.vmxsim.mmu.ioctl.RawVm.SET;
import static org.vmxsim.mmu.ioctl.RawVm.subPageV12;
import static org.vmxsim.mmu.ioctl.RawVm.subPageV4;

import java.nio.ByteBuffer;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmxsim.mmu.abi.Errno;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.spp.SppProfile;
import org.vmxsim.vmx.MachineConfig;

/** The structures and the tables of errors of the postings, by bytes. */
class SubPageIoctlsTest {
    private static final int ENODEV = -19;
    private static final int EFAULT = -14;
    private static final int EINVAL = -22;
    private static final int ENOTTY = -25;
    private static final MachineConfig WITHOUT_SPP =
            MachineConfig.DEFAULT.withCpu("skylake-sp").withMemory(64 << 20);

    /** spp.md 3.4.2. */
    @Nested
    class V4 {
        private final RawVm raw = new RawVm(SppProfile.V4);

        @ParameterizedTest
        @ValueSource(ints = {GET, SET})
        void notEnabledComesBeforeEverything(int request) {
            assertThat(raw.fd.ioctl(request, 0).returnValue()).isEqualTo(ENODEV);
        }

        @ParameterizedTest
        @ValueSource(ints = {GET, SET})
        void theWholeStructureIsRead(int request) {
            raw.enable();
            assertThat(raw.fd.ioctl(request, 0).returnValue()).isEqualTo(EFAULT);
            ByteBuffer tooShort = subPageV4(0x200, 0).limit(271);
            assertThat(raw.ioctl(request, tooShort)).isEqualTo(EFAULT);
            assertThat(raw.ioctl(request, subPageV4(0x200, 0)))
                    .as("272 bytes, then the count")
                    .isEqualTo(EINVAL);
        }

        @ParameterizedTest
        @ValueSource(longs = {0, 65, 1L << 32, -1})
        void oneToSixtyFourPages(long npages) {
            raw.enable();
            assertThat(raw.ioctl(GET, subPageV4(0x200, npages))).isEqualTo(EINVAL);
            assertThat(raw.ioctl(SET, subPageV4(0x200, npages))).isEqualTo(EINVAL);
        }

        @Test
        void sixtyFourPagesGoInAndComeOut() {
            raw.enable();
            int[] map = new int[64];
            for (int i = 0; i < 64; i++) {
                map[i] = i * 0x0101_0101;
            }
            assertThat(raw.ioctl(SET, subPageV4(0x200, 64, map))).isEqualTo(64);
            ByteBuffer got = subPageV4(0x201, 63);
            assertThat(raw.ioctl(GET, got)).isEqualTo(63);
            assertThat(got.getLong(0)).isEqualTo(0x201);
            assertThat(got.getLong(8)).isEqualTo(63);
            assertThat(got.getInt(16)).isEqualTo(0x0101_0101);
            assertThat(got.getInt(16 + 4 * 62)).isEqualTo(0x3f3f_3f3f);
            assertThat(got.getInt(16 + 4 * 63)).as("as given").isZero();
        }

        @Test
        void aHoleIsAnErrorAndTheStructureIsCopiedBackAllTheSame() {
            raw.enable();
            assertThat(raw.ioctl(SET, subPageV4(0xffe, 2, 5, 6))).isEqualTo(2);
            ByteBuffer got = subPageV4(0xffe, 4, 1, 2, 3, 4);
            assertThat(raw.ioctl(GET, got)).isEqualTo(EFAULT);
            assertThat(new int[] {got.getInt(16), got.getInt(20), got.getInt(24), got.getInt(28)})
                    .containsExactly(5, 6, 3, 4);
            assertThat(raw.ioctl(SET, subPageV4(0x1000, 1, 0))).isEqualTo(EFAULT);
            assertThat(raw.ioctl(SET, subPageV4(-1, 1, 0))).isEqualTo(EFAULT);
        }

        @Test
        void whatCannotBeCopiedBackIsAnErrorAlsoAfterSuccess() {
            raw.enable();
            assertThat(raw.ioctl(GET, subPageV4(0x200, 1).asReadOnlyBuffer())).isEqualTo(EFAULT);
            assertThat(raw.ioctl(SET, subPageV4(0x200, 1, 7).asReadOnlyBuffer()))
                    .as("set copies nothing back")
                    .isOne();
        }

        @Test
        void initIsWithoutArgumentAndMayBeRepeated() {
            assertThat(raw.fd.ioctl(INIT, 0xdead).returnValue()).isZero();
            assertThat(raw.fd.ioctl(INIT, 0).returnValue()).isZero();
        }

        @Test
        void withoutTheHardwareTheOperationIsNull() {
            RawVm without = new RawVm(SppProfile.V4, WITHOUT_SPP);
            assertThat(without.fd.ioctl(INIT, 0).returnValue()).isEqualTo(EINVAL);
            assertThat(without.fd.ioctl(GET, 0).returnValue()).isEqualTo(ENODEV);
        }

        @Test
        void thereIsNoCapabilityYet() {
            assertThat(raw.fd.ioctl(RawVm.CHECK_EXTENSION, 182).returnValue()).isZero();
            assertThat(raw.ioctl(RawVm.ENABLE_CAP, RawVm.enableCap(182))).isEqualTo(EINVAL);
        }
    }

    /** spp.md 3.7, last table; FIXED has the interface of v12. */
    @Nested
    class FromV8On {
        @ParameterizedTest
        @EnumSource(
                value = SppProfile.class,
                names = {"V12", "FIXED"})
        void errorsInTheirOrder(SppProfile profile) {
            RawVm raw = new RawVm(profile);
            for (int request : new int[] {GET, SET}) {
                assertThat(raw.fd.ioctl(request, 0).returnValue()).isEqualTo(ENODEV);
            }
            raw.enable();
            for (int request : new int[] {GET, SET}) {
                assertThat(raw.ioctl(request, subPageV12(0, 0, 0).limit(15))).isEqualTo(EFAULT);
                assertThat(raw.ioctl(request, subPageV12(0x200, 0, 1)))
                        .as("flags before count")
                        .isEqualTo(EINVAL);
                assertThat(raw.ioctl(request, subPageV12(0x200, 513, 0))).isEqualTo(EINVAL);
                assertThat(raw.ioctl(request, subPageV12(0x200, -1, 0))).isEqualTo(EINVAL);
                assertThat(raw.ioctl(request, subPageV12(-1, 0, 0)))
                        .as("no page is no error")
                        .isZero();
                assertThat(raw.ioctl(request, subPageV12(0x200, 2, 0, 7)))
                        .as("the array ends early")
                        .isEqualTo(EFAULT);
                assertThat(raw.ioctl(request, subPageV12(0xfff, 2, 0, 7, 7)))
                        .as("hole")
                        .isEqualTo(EFAULT);
            }
            assertThat(raw.ioctl(GET, subPageV12(0x200, 1, 0, 0).asReadOnlyBuffer()))
                    .isEqualTo(EFAULT);
            assertThat(raw.ioctl(SET, subPageV12(0x200, 1, 0, 0).asReadOnlyBuffer()))
                    .isOne();
        }

        @Test
        void theBufferOfV12NeedsMemoryAfterTheHeaderAndBeforeTheRest() {
            RawVm raw = new RawVm(SppProfile.V12);
            raw.enable();
            long hva = raw.vm.host().map(64 << 20, PageSize.SIZE_4K);
            while (raw.vm.host().resolve(hva) >= 0) {
                hva += 4096;
            }
            for (int request : new int[] {GET, SET}) {
                assertThat(raw.ioctl(request, subPageV12(0x200, 1, 1))).isEqualTo(EINVAL);
                assertThat(raw.ioctl(request, subPageV12(0x200, 0, 0))).isZero();
                assertThat(raw.ioctl(request, subPageV12(0x200, 2, 0, 7))).isEqualTo(-12);
            }
            assertThat(raw.vm.setSubPages(0x200, new int[1]).errno()).isEqualTo(Errno.ENOMEM);
            assertThat(raw.vm.getSubPages(0x200, 1).result().errno()).isEqualTo(Errno.ENOMEM);
        }

        @ParameterizedTest
        @EnumSource(
                value = SppProfile.class,
                names = {"V12", "FIXED"})
        void fiveHundredAndTwelvePagesGoInAndComeOut(SppProfile profile) {
            RawVm raw = new RawVm(profile);
            raw.enable();
            int[] map = new int[512];
            for (int i = 0; i < map.length; i++) {
                map[i] = ~i;
            }
            assertThat(raw.ioctl(SET, subPageV12(0x200, 512, 0, map))).isEqualTo(512);
            ByteBuffer got = subPageV12(0x200, 512, 0, new int[512]);
            assertThat(raw.ioctl(GET, got)).isEqualTo(512);
            assertThat(got.getInt(16 + 4 * 511)).isEqualTo(~511);
            assertThat(got.getInt(12)).isZero();
        }

        @ParameterizedTest
        @EnumSource(
                value = SppProfile.class,
                names = {"V12", "FIXED"})
        void getCopiesNothingBackAfterAnError(SppProfile profile) {
            RawVm raw = new RawVm(profile);
            raw.enable();
            raw.ioctl(SET, subPageV12(0xfff, 1, 0, 9));
            ByteBuffer got = subPageV12(0xfff, 2, 0, 1, 2);
            assertThat(raw.ioctl(GET, got)).isEqualTo(EFAULT);
            assertThat(got.getInt(16)).isOne();
        }

        @Test
        void theCapabilityTellsHowManyPagesIfThereIsHardware() {
            assertThat(new RawVm(SppProfile.FIXED)
                            .fd
                            .ioctl(RawVm.CHECK_EXTENSION, 182)
                            .returnValue())
                    .isEqualTo(512);
            RawVm without = new RawVm(SppProfile.FIXED, WITHOUT_SPP);
            assertThat(without.fd.ioctl(RawVm.CHECK_EXTENSION, 182).returnValue())
                    .isZero();
            assertThat(without.ioctl(RawVm.ENABLE_CAP, RawVm.enableCap(182))).isEqualTo(ENODEV);
        }

        /** T11. */
        @Test
        void v12TellsTheSameWithoutHardware() {
            RawVm without = new RawVm(SppProfile.V12, WITHOUT_SPP);
            assertThat(without.fd.ioctl(RawVm.CHECK_EXTENSION, 182).returnValue())
                    .isEqualTo(512);
            assertThat(without.ioctl(RawVm.ENABLE_CAP, RawVm.enableCap(182))).isEqualTo(ENODEV);
        }

        @Test
        void initIsGone() {
            assertThat(new RawVm(SppProfile.FIXED).fd.ioctl(INIT, 0).returnValue())
                    .isEqualTo(ENOTTY);
        }
    }
}
