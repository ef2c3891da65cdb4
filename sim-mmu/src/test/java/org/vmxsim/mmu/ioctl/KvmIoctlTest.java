package org.vmxsim.mmu.ioctl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vmxsim.mmu.ioctl.RawVm.struct;

import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.mmu.spp.SppProfile;

class KvmIoctlTest {
    private final RawVm raw = new RawVm(SppProfile.FIXED);

    /** Compiled from linux/kvm.h of Linux 6.1 with its macros; the last three with _IOR and _IOW of a __u64. */
    @Test
    void requestNumbersAreThoseOfTheHeader() {
        assertThat(KvmRequest.CHECK_EXTENSION).isEqualTo(0xae03);
        assertThat(KvmRequest.ENABLE_CAP).isEqualTo(0x4068aea3);
        assertThat(KvmRequest.SET_USER_MEMORY_REGION).isEqualTo(0x4020ae46);
        assertThat(KvmRequest.GET_DIRTY_LOG).isEqualTo(0x4010ae42);
        assertThat(KvmRequest.CLEAR_DIRTY_LOG).isEqualTo(0xc018aec0);
        assertThat(KvmRequest.SUBPAGES_GET_ACCESS).isEqualTo(0x8008ae49);
        assertThat(KvmRequest.SUBPAGES_SET_ACCESS).isEqualTo(0x4008ae4a);
        assertThat(KvmRequest.INIT_SPP).isEqualTo(0x4008ae4b);
        assertThat(KvmRequest.sizeBytes(0xc018aec0)).isEqualTo(24);
    }

    @Test
    void unknownRequestsAreNoTypewriter() {
        assertThat(raw.fd.ioctl(0xae99, 0).returnValue()).isEqualTo(-25);
        assertThat(raw.fd.ioctl(0xae49, 0).returnValue())
                .as("direction and size count")
                .isEqualTo(-25);
    }

    @Test
    void memoryRegionsByBytes() {
        ByteBuffer region = struct(32).putInt(0, 1).putInt(4, 2);
        region.putLong(8, 0x4000_0000)
                .putLong(16, 0x3000)
                .putLong(24, raw.vm.host().map(0x3000, PageSize.SIZE_4K));
        assertThat(raw.ioctl(RawVm.SET_USER_MEMORY_REGION, region)).isZero();
        assertThat(raw.ioctl(RawVm.SET_USER_MEMORY_REGION, region.putInt(0, 2)))
                .as("overlap")
                .isEqualTo(-17);
        assertThat(raw.ioctl(RawVm.SET_USER_MEMORY_REGION, region.putLong(8, 0x4000_0001)))
                .isEqualTo(-22);
        assertThat(raw.ioctl(RawVm.SET_USER_MEMORY_REGION, struct(31))).isEqualTo(-14);
        raw.code(0xa0, 0, 0x20, 0, 0x40, 0xa2, 0, 0x20, 0, 0x40); // mov al, [0x40002000]; mov [0x40002000], al
        assertThat(raw.run()).as("read-only: a write is a device access").isEqualTo(6);
    }

    @Test
    void capabilitiesOfThisHypervisor() {
        assertThat(raw.fd.ioctl(RawVm.CHECK_EXTENSION, 3).returnValue()).isOne();
        assertThat(raw.fd.ioctl(RawVm.CHECK_EXTENSION, 81).returnValue()).isOne();
        assertThat(raw.fd.ioctl(RawVm.CHECK_EXTENSION, 118).returnValue()).isEqualTo(2);
        assertThat(raw.fd.ioctl(RawVm.CHECK_EXTENSION, 10).returnValue()).isEqualTo(32764);
        assertThat(raw.fd.ioctl(RawVm.CHECK_EXTENSION, 4711).returnValue()).isZero();
        assertThat(raw.fd.ioctl(RawVm.CHECK_EXTENSION, (1L << 32) + 3).returnValue())
                .isZero();
    }

    @Test
    void enableCapWantsKnownCapabilitiesWithoutFlags() {
        assertThat(raw.ioctl(RawVm.ENABLE_CAP, struct(103))).isEqualTo(-14);
        assertThat(raw.ioctl(RawVm.ENABLE_CAP, RawVm.enableCap(4711))).isEqualTo(-22);
        assertThat(raw.ioctl(RawVm.ENABLE_CAP, RawVm.enableCap(182).putInt(4, 1)))
                .isEqualTo(-22);
        assertThat(raw.ioctl(RawVm.ENABLE_CAP, RawVm.enableCap(182))).isZero();
        assertThat(raw.ioctl(RawVm.ENABLE_CAP, RawVm.enableCap(182))).isZero();
    }

    @Test
    void theDirtyLogGoesToWhereTheStructurePoints() {
        long hva = raw.hva;
        ByteBuffer region = struct(32).putInt(4, 1).putLong(16, 16 << 20).putLong(24, hva);
        ByteBuffer bitmap = struct(512);
        ByteBuffer get = struct(16).putLong(8, raw.user.map(bitmap));
        assertThat(raw.ioctl(0x4010ae42, get)).as("not logged").isEqualTo(-2);
        assertThat(raw.ioctl(RawVm.SET_USER_MEMORY_REGION, region)).isZero();
        raw.code(0xa2, 0x34, 0x12, 0x30, 0, 0xa2, 0, 0xf0, 0xff, 0, 0xf4); // mov [0x301234], al; mov [0xfff000], al
        assertThat(raw.run()).isEqualTo(5);
        assertThat(raw.ioctl(0x4010ae42, get)).isZero();
        for (int gfn = 0; gfn < 4096; gfn++) {
            // Byte and bit of a page do not depend on how long a word is.
            boolean dirty = (bitmap.get(gfn / 8) >>> gfn % 8 & 1) != 0;
            assertThat(dirty).as("gfn %x", gfn).isEqualTo(gfn == 0x301 || gfn == 0xfff);
        }
        assertThat(raw.ioctl(0x4010ae42, get)).isZero();
        assertThat(bitmap.getLong(0x300 / 8)).as("cleared").isZero();
        assertThat(raw.ioctl(0x4010ae42, struct(16).putLong(8, raw.user.map(struct(511)))))
                .as("one byte short")
                .isEqualTo(-14);
        assertThat(raw.ioctl(0x4010ae42, struct(15))).isEqualTo(-14);
    }

    @Test
    void clearingTheDirtyLogReadsItsBitmap() {
        long hva = raw.hva;
        assertThat(raw.fd.ioctl(RawVm.CHECK_EXTENSION, 168).returnValue()).isEqualTo(3);
        assertThat(raw.ioctl(RawVm.ENABLE_CAP, RawVm.enableCap(168).putLong(8, 2)))
                .as("the second option needs the first")
                .isEqualTo(-22);
        assertThat(raw.ioctl(RawVm.ENABLE_CAP, RawVm.enableCap(168).putLong(8, 3)))
                .isZero();
        ByteBuffer region = struct(32).putInt(4, 1).putLong(16, 16 << 20).putLong(24, hva);
        assertThat(raw.ioctl(RawVm.SET_USER_MEMORY_REGION, region)).isZero();
        long some = raw.user.map(struct(16).putLong(0, 5).putLong(8, -1));
        ByteBuffer clear = struct(24).putInt(4, 128).putLong(8, 64).putLong(16, some);
        assertThat(raw.ioctl(0xc018aec0, clear)).isZero();
        ByteBuffer bitmap = struct(512);
        assertThat(raw.ioctl(0x4010ae42, struct(16).putLong(8, raw.user.map(bitmap))))
                .isZero();
        assertThat(bitmap.getLong(0)).as("all dirty at first").isEqualTo(-1);
        assertThat(bitmap.getLong(8)).isEqualTo(~5L);
        assertThat(bitmap.getLong(16)).isZero();
        assertThat(raw.ioctl(0xc018aec0, clear.putInt(4, 192)))
                .as("the bitmap ends early")
                .isEqualTo(-14);
        assertThat(raw.ioctl(0xc018aec0, clear.putInt(4, -1)))
                .as("count before bitmap")
                .isEqualTo(-22);
        assertThat(raw.ioctl(0xc018aec0, clear.putInt(4, 64).putLong(8, 1))).isEqualTo(-22);
        assertThat(raw.ioctl(0xc018aec0, struct(23))).isEqualTo(-14);
    }

    @Test
    void copiesStopAtTheEndOfABuffer() {
        UserMemory user = new UserMemory();
        ByteBuffer bytes = ByteBuffer.allocate(10);
        long address = user.map(bytes.position(2));
        assertThat(address & 4095).isZero();
        assertThat(user.map(ByteBuffer.allocate(1))).as("a page lies between").isEqualTo(address + 8192);
        assertThat(user.copyTo(address + 4, new byte[] {1, 2, 3, 4, 5})).isFalse();
        assertThat(bytes.array()).as("as far as it goes").containsExactly(0, 0, 0, 0, 0, 0, 1, 2, 3, 4);
        byte[] read = new byte[3];
        assertThat(user.copyFrom(address + 5, read)).isTrue();
        assertThat(read).containsExactly(2, 3, 4);
        assertThat(user.copyFrom(address + 6, read)).isFalse();
        assertThat(user.copyFrom(address - 1, read)).isFalse();
        assertThat(user.copyFrom(address + 8, new byte[0])).isTrue();
        assertThat(user.copyFrom(0, read)).isFalse();
    }
}
