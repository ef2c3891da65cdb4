package org.vmxsim.kvmi.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.kvmi.memory.MapTokenPolicy;
import org.vmxsim.kvmi.memory.MapTokens;
import org.vmxsim.kvmi.memory.RemoteMappings;
import org.vmxsim.mmu.Kvm;
import org.vmxsim.mmu.Vcpu;
import org.vmxsim.mmu.Vm;
import org.vmxsim.mmu.host.PageSize;
import org.vmxsim.vmx.Machine;
import org.vmxsim.vmx.MachineConfig;

/** The device in a virtual machine, whose process and kernel are what the vCPU's page tables say. */
class DeviceOnMachineTest {
    private static final long TARGET_GPA = 0x5000;
    private static final long USER = 0x40_0000;
    private static final long SUPERVISOR = USER + 0x2000;
    private static final long NOT_PRESENT = USER + 0x3000;
    private static final long NO_MEMORY = USER + 0x4000;
    private static final long REQUEST = USER + 0x5fe0;
    private static final long STACK = 0xffff_8000_0000_0100L;
    private static final long USER_GPA = 0x8_0000;

    private Vm target;
    private Vm tool;
    private Vcpu vcpu;
    private MapTokens tokens;
    private RemoteMappings mappings;
    private KvmMemDevice device;
    private VcpuProcess process;
    private KvmMemFile file;

    @BeforeEach
    void boot() {
        Kvm kvm = Kvm.on(Machine.of(MachineConfig.DEFAULT.withMemory(64 << 20)));
        target = kvm.createVm();
        tool = kvm.createVm();
        for (Vm vm : new Vm[] {target, tool}) {
            assertThat(vm.addMemory(0, 0, 1 << 20, PageSize.SIZE_4K).isOk()).isTrue();
        }
        vcpu = tool.createVcpu();
        pageTables();
        tokens = new MapTokens(MapTokenPolicy.DEFAULT, 1, () -> 0);
        mappings = new RemoteMappings(kvm, tokens);
        mappings.attach(target);
        mappings.attach(tool);
        device = new KvmMemDevice(new VcpuKernel(vcpu, mappings, STACK));
        assertThat(device.init()).isZero();
        process = new VcpuProcess(vcpu);
        file = device.open(process).file();
    }

    private void pageTables() {
        entry(0x1_0000, 0, 0x1_1007);
        entry(0x1_1000, 0, 0x1_2007);
        entry(0x1_2000, 2, 0x1_3007);
        entry(0x1_3000, 0, USER_GPA | 7);
        entry(0x1_3000, 1, USER_GPA + 0x1000 | 5);
        entry(0x1_3000, 2, USER_GPA + 0x2000 | 3);
        entry(0x1_3000, 4, 0x7000_0007L);
        entry(0x1_3000, 5, USER_GPA + 0x5000 | 7);
        entry(0x1_3000, 6, USER_GPA + 0x9000 | 7);
        entry(0x1_0000, 256, 0x1_4003);
        entry(0x1_4000, 0, 0x1_5003);
        entry(0x1_5000, 0, 0x1_6003);
        entry(0x1_6000, 0, 0x9_0003);
        CpuState state = new CpuState();
        state.cr0 = 0x8001_0031L;
        state.cr3 = 0x1_0000;
        state.cr4 = 0x20;
        state.efer = 0x500;
        vcpu.setState(state);
    }

    private void entry(long table, int index, long entry) {
        store(tool, table + 8L * index, entry);
    }

    private static void store(Vm vm, long gpa, long value) {
        ByteBuffer bytes = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value);
        vm.memory().load(gpa, bytes.array());
    }

    /** The argument lies across two pages of the process that are not neighbours in guest-physical memory. */
    private void request(byte[] token, long targetGpa, long gva) {
        ByteBuffer bytes = ByteBuffer.allocate(48).order(ByteOrder.LITTLE_ENDIAN);
        byte[] argument = bytes.put(token).putLong(targetGpa).putLong(gva).array();
        tool.memory().load(USER_GPA + 0x5fe0, Arrays.copyOf(argument, 32));
        tool.memory().load(USER_GPA + 0x9000, Arrays.copyOfRange(argument, 32, 48));
    }

    private byte[] token() {
        return tokens.issue(target).token();
    }

    private long map(long gva) {
        request(token(), TARGET_GPA, gva);
        return file.ioctl(process, KvmMemDevice.MAP, REQUEST);
    }

    @Test
    void theProcessSeesAndChangesTheOtherMachinesMemory() {
        store(target, TARGET_GPA + 0x18, 0x1122_3344_5566_7788L);
        store(tool, USER_GPA + 0x18, 0x99);

        assertThat(map(USER)).isZero();
        assertThat(process.isPinned(USER_GPA)).isTrue();
        assertThat(tool.memory().readLong(USER_GPA + 0x18)).isEqualTo(0x1122_3344_5566_7788L);
        store(tool, USER_GPA + 0x20, 0xabcd);
        assertThat(target.memory().readLong(TARGET_GPA + 0x20)).isEqualTo(0xabcd);

        assertThat(file.ioctl(process, KvmMemDevice.UNMAP, USER)).isZero();
        assertThat(process.isPinned(USER_GPA)).isFalse();
        assertThat(tool.memory().readLong(USER_GPA + 0x18)).isEqualTo(0x99);
        store(tool, USER_GPA + 0x20, 1);
        assertThat(target.memory().readLong(TARGET_GPA + 0x20)).isEqualTo(0xabcd);
    }

    @ParameterizedTest
    @CsvSource({"munmap", "exit", "release"})
    void theMappingEndsWithWhatItNeeds(String how) {
        store(target, TARGET_GPA, 5);
        assertThat(map(USER)).isZero();
        assertThat(tool.memory().readLong(USER_GPA)).isEqualTo(5);

        switch (how) {
            case "munmap" -> process.startMunmap(USER, 0x1000).run();
            case "exit" -> process.exit();
            default -> file.release();
        }
        assertThat(tool.memory().readLong(USER_GPA)).isZero();
        assertThat(process.isPinned(USER_GPA)).isFalse();
    }

    /** Page by page what the page tables say; the host says about the one that the tables map to no memory. */
    @ParameterizedTest
    @CsvSource({
        "0x401000, -14, read-only",
        "0x402000, -14, supervisor",
        "0x403000, -14, not present",
        "0x500000, -14, no table",
        "0x404000, -14, no memory",
        "0x400008, -22, inside",
        "0xffff800000000000, -22, kernel"
    })
    void onlyAPageOfItsOwnIsGiven(String gva, int errno, String why) {
        assertThat(map(Long.parseUnsignedLong(gva.substring(2), 16))).as(why).isEqualTo(errno);
        assertThat(file.mappedAddresses()).isEmpty();
    }

    @Test
    void asPostedTheKernelTakesWhateverPageIsThere() {
        KvmMemDevice posted = new KvmMemDevice(new VcpuKernel(vcpu, mappings, STACK), DeviceQuirk.strictV4(), 10);
        posted.init();
        KvmMemFile open = posted.open(process).file();
        request(token(), TARGET_GPA, SUPERVISOR);
        assertThat(open.ioctl(process, KvmMemDevice.MAP, REQUEST)).isZero();
        request(token(), TARGET_GPA, NOT_PRESENT);
        assertThat(open.ioctl(process, KvmMemDevice.MAP, REQUEST)).isZero();
        assertThat(open.mappedAddresses()).containsExactly(SUPERVISOR, NOT_PRESENT);
    }

    @Test
    void theArgumentMustBeTheProcesssToRead() {
        request(token(), TARGET_GPA, USER);
        tool.memory().load(USER_GPA + 0x2000, tool.memory().read(USER_GPA + 0x5fe0, 32));
        tool.memory().load(USER_GPA + 0x2020, tool.memory().read(USER_GPA + 0x9000, 16));

        assertThat(file.ioctl(process, KvmMemDevice.MAP, SUPERVISOR)).isEqualTo(-14);
        assertThat(file.ioctl(process, KvmMemDevice.MAP, NO_MEMORY)).isEqualTo(-14);
        assertThat(file.ioctl(process, KvmMemDevice.MAP, NOT_PRESENT - 8)).isEqualTo(-14);
        assertThat(file.ioctl(process, KvmMemDevice.MAP, STACK)).isEqualTo(-14);
        assertThat(file.ioctl(process, KvmMemDevice.MAP, REQUEST)).isZero();
    }

    @Test
    void aTokenIsGoodForOneMapping() {
        byte[] token = token();
        request(token, TARGET_GPA, USER);
        assertThat(file.ioctl(process, KvmMemDevice.MAP, REQUEST)).isZero();
        request(token, TARGET_GPA, USER + 0x5000);
        assertThat(file.ioctl(process, KvmMemDevice.MAP, REQUEST)).isEqualTo(-2);
    }

    @Test
    void withoutItsStackTheKernelAsksForNothing() {
        entry(0x1_6000, 0, 0);
        assertThat(map(USER)).isEqualTo(-14);
        assertThat(process.isPinned(USER_GPA)).isFalse();
    }

    @Test
    void mistakesOfTheCallerAreNamed() {
        assertThatThrownBy(() -> new VcpuProcess(null)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new VcpuKernel(vcpu, null, STACK)).isInstanceOf(IllegalArgumentException.class);
    }
}
