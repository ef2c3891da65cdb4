package org.vmxsim.kvmi.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.vmxsim.kvmi.device.ToyProcess.ARGUMENT;
import static org.vmxsim.kvmi.device.ToyProcess.BUFFER;

import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmxsim.mmu.abi.Errno;

/** The driver's calls and error numbers, which are the same as posted and repaired. Numbers are typed, not computed. */
class KvmMemDeviceTest {
    private static final int MAP = 0x40306901;
    private static final int UNMAP = 0x40086902;
    private static final int EPERM = -1;
    private static final int ENOENT = -2;
    private static final int ENOMEM = -12;
    private static final int EFAULT = -14;
    private static final int ENODEV = -19;
    private static final int EINVAL = -22;
    private static final int ENOTTY = -25;
    private static final long TARGET = 0x7_8000;

    private final ToyHost host = new ToyHost();
    private final ToyProcess process = new ToyProcess();

    private KvmMemDevice device(boolean strict, int allocations) {
        Set<DeviceQuirk> quirks = strict ? DeviceQuirk.strictV4() : Set.of();
        KvmMemDevice device = new KvmMemDevice(host, quirks, allocations);
        assertThat(device.init()).isZero();
        return device;
    }

    private KvmMemFile open(boolean strict) {
        return device(strict, 100).open(process).file();
    }

    private long map(KvmMemFile file, long gva) {
        return file.ioctl(process.request(7, TARGET, gva), MAP, ARGUMENT);
    }

    @Test
    void theIoctlNumbersAreThoseOfTheHeader() {
        assertThat(KvmMemDevice.MAP).isEqualTo(MAP);
        assertThat(KvmMemDevice.UNMAP).isEqualTo(UNMAP);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void mapAndUnmapAskTheHostForTheProcessesPage(boolean strict) {
        KvmMemFile file = open(strict);
        long frame = process.frame(BUFFER + 0x1000);

        assertThat(map(file, BUFFER + 0x1000)).isZero();
        assertThat(host.firstTokenByte).isEqualTo(7);
        assertThat(host.mapped).containsExactly(java.util.Map.entry(frame, TARGET));
        assertThat(file.mappedAddresses()).containsExactly(BUFFER + 0x1000);
        assertThat(file.ioctl(process, UNMAP, BUFFER + 0x1000)).isZero();
        assertThat(host.mapped).isEmpty();
        assertThat(file.mappedAddresses()).isEmpty();
        assertThat(process.isPinned(frame)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void theArgumentCanComeAsBytes(boolean strict) {
        KvmMemFile file = open(strict);

        assertThat(file.ioctl(MAP, ToyProcess.argument(9, TARGET, BUFFER))).isZero();
        assertThat(host.firstTokenByte).isEqualTo(9);
        assertThat(file.ioctl(UNMAP, new byte[] {0, 0, 1, 0, 0, 0, 0, 0})).isZero();
        assertThat(file.ioctl(UNMAP, new byte[] {0, 0, 1, 0, 0, 0, 0, 0})).isEqualTo(ENOENT);
        assertThat(file.ioctl(MAP, new byte[47])).isEqualTo(EFAULT);
        assertThat(file.ioctl(UNMAP, new byte[7])).isEqualTo(EFAULT);
        assertThat(file.ioctl(0x40086903, new byte[0])).isEqualTo(ENOTTY);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void withoutKvmThereIsNoDevice(boolean strict) {
        host.paravirtualization = false;
        KvmMemDevice device = new KvmMemDevice(host, strict ? DeviceQuirk.strictV4() : Set.of(), 1);

        assertThat(device.init()).isEqualTo(EPERM);
        assertThat(device.open(process).errno()).isEqualTo(ENOENT);
        assertThat(device.open(process).file()).isNull();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void openAndMapNeedMemory(boolean strict) {
        assertThat(device(strict, 0).open(process).errno()).isEqualTo(ENOMEM);
        KvmMemFile file = device(strict, 2).open(process).file();

        assertThat(map(file, BUFFER)).isZero();
        assertThat(map(file, BUFFER + 0x1000)).isEqualTo(ENOMEM);
        assertThat(file.ioctl(process, UNMAP, BUFFER)).isZero();
        assertThat(map(file, BUFFER + 0x1000)).isZero();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aClosedFileGivesBackItsMemory(boolean strict) {
        KvmMemDevice device = device(strict, 2);
        KvmMemFile file = device.open(process).file();
        assertThat(device.files()).containsExactly(file);
        map(file, BUFFER);

        assertThat(file.release()).isZero();
        assertThat(device.files()).isEmpty();
        assertThat(host.mapped).isEmpty();
        KvmMemFile next = device.open(process).file();
        assertThat(map(next, BUFFER)).isZero();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void anArgumentThatCannotBeReadIsAFault(boolean strict) {
        KvmMemFile file = open(strict);
        process.request(7, TARGET, BUFFER);

        assertThat(file.ioctl(process, MAP, ARGUMENT + 1)).isEqualTo(EFAULT);
        assertThat(file.ioctl(process, MAP, 0)).isEqualTo(EFAULT);
        assertThat(host.asked).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void anAddressOutsideUserSpaceIsInvalid(boolean strict) {
        KvmMemFile file = open(strict);

        for (long gva : new long[] {-0x1000, 0x7fff_ffff_f000L, 0x8000_0000_0000L, Long.MAX_VALUE, Long.MIN_VALUE}) {
            assertThat(map(file, gva)).as("gva 0x%x", gva).isEqualTo(EINVAL);
        }
        process.area(0x7fff_ffff_e000L, 1);
        process.page(0x7fff_ffff_e000L);
        assertThat(map(file, 0x7fff_ffff_e000L)).isZero();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void theErrorOfALookUpIsTold(boolean strict) {
        KvmMemFile file = open(strict);
        process.lookUpError = Errno.EEXIST;

        assertThat(map(file, BUFFER)).isEqualTo(-17);
        assertThat(host.asked).isEmpty();
        assertThat(file.mappedAddresses()).isEmpty();
    }

    /** Any number from -1 to -4095 is an error, KVM's own for a missing hypercall included; the rest is success. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void theErrorOfTheHypercallIsTold(boolean strict) {
        KvmMemFile file = open(strict);

        for (long error : new long[] {-2, -14, -1000, -4095}) {
            host.mapResult = error;
            assertThat(map(file, BUFFER)).isEqualTo(error);
            assertThat(file.mappedAddresses()).isEmpty();
            assertThat(process.isPinned(process.frame(BUFFER))).isFalse();
        }
        host.mapResult = -4096;
        assertThat(map(file, BUFFER)).isZero();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void anAddressThatIsNotMappedCannotBeUnmapped(boolean strict) {
        KvmMemFile file = open(strict);
        map(file, BUFFER);

        assertThat(file.ioctl(process, UNMAP, BUFFER + 8)).isEqualTo(ENOENT);
        assertThat(file.ioctl(process, UNMAP, BUFFER + 0x1000)).isEqualTo(ENOENT);
        assertThat(file.mappedAddresses()).containsExactly(BUFFER);
    }

    /** Also the numbers of the later whole-memslot mapping, and UNMAP as a 32-bit program has it. */
    @ParameterizedTest
    @ValueSource(ints = {0, 0x40086901, 0xC0306902, 0x40086903, 0x40046902, 0x40306902, -1})
    void anyOtherNumberIsNoCommand(int number) {
        assertThat(open(false).ioctl(process, number, BUFFER)).isEqualTo(ENOTTY);
        assertThat(open(true).ioctl(process, number, BUFFER)).isEqualTo(ENOTTY);
        assertThat(open(false).ioctl(new ToyProcess(), number, BUFFER)).isEqualTo(ENOTTY);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void nothingIsMappedAfterRelease(boolean strict) {
        KvmMemFile file = open(strict);
        map(file, BUFFER);
        map(file, BUFFER + 0x1000);

        assertThat(file.release()).isZero();
        assertThat(host.mapped).isEmpty();
        assertThat(map(file, BUFFER)).isEqualTo(ENODEV);
        assertThat(file.ioctl(process, UNMAP, BUFFER)).isEqualTo(ENODEV);
        assertThat(file.ioctl(process, 1, BUFFER)).isEqualTo(ENOTTY);
        assertThatThrownBy(file::release)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("second release");
    }

    /** What of several reasons is told: copy, address, memory, closed, page, hypercall. */
    @Test
    void theFirstReasonInTheDriversOrderIsTold() {
        KvmMemFile strict = open(true);
        strict.release();
        process.lookUpError = Errno.EEXIST;
        host.mapResult = -2;

        assertThat(strict.ioctl(process, MAP, 0)).isEqualTo(EFAULT);
        assertThat(map(strict, -0x1000)).isEqualTo(EINVAL);
        assertThat(map(strict, BUFFER)).isEqualTo(ENODEV);
        KvmMemFile full = device(true, 1).open(process).file();
        assertThat(map(full, -0x1000)).isEqualTo(EINVAL);
        assertThat(map(full, BUFFER)).isEqualTo(ENOMEM);
        assertThat(map(open(true), BUFFER)).isEqualTo(-17);
        assertThat(map(open(false), BUFFER)).isEqualTo(-17);
        process.lookUpError = null;
        assertThat(map(open(false), BUFFER)).isEqualTo(-2);
    }

    @Test
    void mistakesOfTheCallerAreNamed() {
        KvmMemDevice device = device(false, 10);
        assertThatThrownBy(() -> device.open(null)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new KvmMemDevice(host, Set.of(), -1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> open(false).ioctl(null, MAP, 0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> open(false).ioctl(MAP, null)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> process.startMunmap(1, 0x1000)).isInstanceOf(IllegalArgumentException.class);
        FileCall call = open(false).startIoctl(process, UNMAP, 0);
        assertThatThrownBy(call::result).isInstanceOf(IllegalArgumentException.class);
        call.run();
        assertThatThrownBy(call::step).isInstanceOf(IllegalArgumentException.class);
    }
}
