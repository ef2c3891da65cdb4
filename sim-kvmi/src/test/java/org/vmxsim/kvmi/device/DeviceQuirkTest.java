package org.vmxsim.kvmi.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vmxsim.kvmi.device.ToyProcess.ARGUMENT;
import static org.vmxsim.kvmi.device.ToyProcess.BUFFER;

import java.util.Set;
import org.junit.jupiter.api.Test;

/** Each weakness of the posted driver, shown, and repaired. */
class DeviceQuirkTest {
    private static final int ENOENT = -2;
    private static final int EFAULT = -14;
    private static final int EINVAL = -22;
    private static final int EALREADY = -114;
    private static final long TARGET = 0x7_8000;

    private final ToyHost host = new ToyHost();
    private final ToyProcess process = new ToyProcess();
    private final KvmMemFile posted = open(host, process, DeviceQuirk.strictV4());
    private final ToyHost repairedHost = new ToyHost();
    private final KvmMemFile repaired = open(repairedHost, process, Set.of());

    private static KvmMemFile open(ToyHost host, ToyProcess process, Set<DeviceQuirk> quirks) {
        KvmMemDevice device = new KvmMemDevice(host, quirks, 100);
        device.init();
        return device.open(process).file();
    }

    private long map(KvmMemFile file, long gva) {
        return file.ioctl(process.request(7, TARGET, gva), KvmMemDevice.MAP, ARGUMENT);
    }

    private long unmap(KvmMemFile file, long gva) {
        return file.ioctl(process, KvmMemDevice.UNMAP, gva);
    }

    @Test
    void anAbsentPageIsAMappingOfNothing() {
        process.absent(BUFFER);

        assertThat(map(posted, BUFFER)).isZero();
        assertThat(host.asked).isEmpty();
        assertThat(posted.mappedAddresses()).containsExactly(BUFFER);
        assertThat(map(repaired, BUFFER)).isEqualTo(EFAULT);
        assertThat(repaired.mappedAddresses()).isEmpty();
    }

    @Test
    void anAddressBehindTheLastAreaIsAMappingOfNothingToo() {
        assertThat(map(posted, 0x90_0000)).isZero();
        assertThat(host.asked).isEmpty();
        assertThat(map(repaired, 0x90_0000)).isEqualTo(EFAULT);
    }

    /** The entry holds the physical address of the mapping that had the same piece of memory before. */
    @Test
    void unmappingAMappingOfNothingEndsSomebodyElsesMapping() {
        long frame = process.frame(BUFFER);
        map(posted, BUFFER + 0x1000);
        map(posted, BUFFER);
        unmap(posted, BUFFER);
        process.absent(BUFFER + 0x2000);

        assertThat(map(posted, BUFFER + 0x2000)).isZero();
        KvmMemFile other = posted.device().open(process).file();
        assertThat(map(other, BUFFER)).isZero();
        assertThat(host.mapped).containsKey(frame);
        assertThat(unmap(posted, BUFFER + 0x2000)).isZero();
        assertThat(host.mapped).doesNotContainKey(frame);
        assertThat(other.mappedAddresses()).containsExactly(BUFFER);
    }

    @Test
    void anAddressInsideAPageIsTaken() {
        assertThat(map(posted, BUFFER + 0x123)).isZero();
        assertThat(host.mapped).containsOnlyKeys(process.frame(BUFFER));
        assertThat(unmap(posted, BUFFER)).isEqualTo(ENOENT);
        assertThat(unmap(posted, BUFFER + 0x123)).isZero();
        assertThat(map(repaired, BUFFER + 0x123)).isEqualTo(EINVAL);
    }

    /** A page below the area that was found for it, as a kernel has where an area has shrunk. */
    @Test
    void anAddressBelowItsAreaIsTaken() {
        process.page(BUFFER - 0x1000);

        assertThat(map(posted, BUFFER - 0x1000)).isZero();
        assertThat(host.mapped).hasSize(1);
        assertThat(map(repaired, BUFFER - 0x1000)).isEqualTo(EFAULT);
    }

    @Test
    void aMappedPageMoves() {
        long frame = process.frame(BUFFER);
        assertThat(map(posted, BUFFER)).isZero();
        assertThat(process.migrate(BUFFER)).isTrue();
        assertThat(process.freeFrames).containsExactly(frame);
        assertThat(host.mapped).containsKey(frame);

        long second = process.frame(BUFFER);
        assertThat(map(repaired, BUFFER)).isZero();
        assertThat(process.isPinned(second)).isTrue();
        assertThat(process.migrate(BUFFER)).isFalse();
        assertThat(unmap(repaired, BUFFER)).isZero();
        assertThat(process.migrate(BUFFER)).isTrue();
    }

    @Test
    void thePageOfZerosIsGivenAway() {
        process.zeroPage(BUFFER);
        assertThat(map(posted, BUFFER)).isZero();
        assertThat(host.mapped).containsOnlyKeys(ToyProcess.ZERO_FRAME);

        assertThat(map(repaired, BUFFER)).isZero();
        assertThat(repairedHost.mapped).containsOnlyKeys(process.frame(BUFFER)).doesNotContainKey(0x5000L);
    }

    @Test
    void anAddressIsMappedTwice() {
        assertThat(map(posted, BUFFER)).isZero();
        process.migrate(BUFFER);
        assertThat(map(posted, BUFFER)).isZero();
        assertThat(posted.mappedAddresses()).containsExactly(BUFFER, BUFFER);
        long newer = process.frame(BUFFER);
        assertThat(unmap(posted, BUFFER)).isZero();
        assertThat(host.mapped).containsOnlyKeys(newer);

        assertThat(map(repaired, BUFFER)).isZero();
        assertThat(map(repaired, BUFFER)).isEqualTo(EALREADY);
        assertThat(repairedHost.asked).hasSize(1);
        assertThat(process.isPinned(process.frame(BUFFER))).isTrue();
        assertThat(unmap(repaired, BUFFER)).isZero();
        assertThat(process.isPinned(process.frame(BUFFER))).isFalse();
    }

    @Test
    void anotherProcessUsesTheFile() {
        ToyProcess other = new ToyProcess();
        long frame = other.page(BUFFER);
        other.request(7, TARGET, BUFFER);

        assertThat(posted.ioctl(other, KvmMemDevice.MAP, ARGUMENT)).isZero();
        assertThat(host.mapped).containsOnlyKeys(frame);
        assertThat(posted.ioctl(process, KvmMemDevice.UNMAP, BUFFER)).isZero();

        assertThat(repaired.ioctl(other, KvmMemDevice.MAP, ARGUMENT)).isEqualTo(EINVAL);
        assertThat(map(repaired, BUFFER)).isZero();
        assertThat(repaired.ioctl(other, KvmMemDevice.UNMAP, BUFFER)).isEqualTo(EINVAL);
        assertThat(repaired.mappedAddresses()).containsExactly(BUFFER);
    }

    @Test
    void munmapFreesAPageThatIsStillMapped() {
        long frame = process.frame(BUFFER);
        map(posted, BUFFER);
        process.startMunmap(BUFFER, 0x1000).run();
        assertThat(process.freeFrames).containsExactly(frame);
        assertThat(host.mapped).containsKey(frame);

        map(repaired, BUFFER + 0x1000);
        map(repaired, BUFFER + 0x2000);
        process.startMunmap(BUFFER + 0x1000, 0x1000).run();
        assertThat(repaired.mappedAddresses()).containsExactly(BUFFER + 0x2000);
        assertThat(repairedHost.mapped).containsOnlyKeys(process.frame(BUFFER + 0x2000));
    }

    @Test
    void exitFreesPagesThatAreStillMapped() {
        map(posted, BUFFER);
        map(repaired, BUFFER + 0x1000);
        process.exit();

        assertThat(host.mapped).hasSize(1);
        assertThat(process.freeFrames).containsAll(host.mapped.keySet());
        assertThat(repairedHost.mapped).isEmpty();
        assertThat(repaired.mappedAddresses()).isEmpty();
        posted.release();
        repaired.release();
        assertThat(host.mapped).isEmpty();
    }

    /** What the host did not take back stays pinned: it may be anybody's page. */
    @Test
    void theHostsErrorOfUnmapIsHidden() {
        map(posted, BUFFER);
        map(repaired, BUFFER + 0x1000);
        host.unmapResult = -12;
        repairedHost.unmapResult = -12;

        assertThat(unmap(posted, BUFFER)).isZero();
        assertThat(unmap(repaired, BUFFER + 0x1000)).isEqualTo(-12);
        assertThat(process.isPinned(process.frame(BUFFER + 0x1000))).isTrue();
        assertThat(unmap(posted, BUFFER)).isEqualTo(ENOENT);
        assertThat(unmap(repaired, BUFFER + 0x1000)).isEqualTo(ENOENT);
    }

    /** An munmap of another page waits for the host as posted, and does not as repaired. */
    @Test
    void theHostWorksWhileTheAddressSpaceIsLocked() {
        FileCall[] munmap = new FileCall[1];
        Boolean[] blocked = new Boolean[1];
        Runnable look = () -> {
            munmap[0] = process.startMunmap(BUFFER + 0x3000, 0x1000);
            blocked[0] = munmap[0].isBlocked();
        };
        host.whileMapping = look;
        repairedHost.whileMapping = look;

        map(posted, BUFFER);
        assertThat(blocked[0]).isTrue();
        assertThat(munmap[0].isBlocked()).isFalse();
        map(repaired, BUFFER + 0x1000);
        assertThat(blocked[0]).isFalse();
    }

    @Test
    void aFreedFileIsUsedByACallThatWaitedForItsMutex() {
        for (KvmMemFile file : new KvmMemFile[] {posted, repaired}) {
            FileCall map = file.startIoctl(process.request(7, TARGET, BUFFER), KvmMemDevice.MAP, ARGUMENT);
            map.step();
            file.release();
            assertThat(map.run()).isEqualTo(-19);
        }
        assertThat(posted.device().usesAfterFree()).isPositive();
        assertThat(repaired.device().usesAfterFree()).isZero();
    }
}
