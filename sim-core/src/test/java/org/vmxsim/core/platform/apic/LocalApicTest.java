package org.vmxsim.core.platform.apic;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.memory.MmioDevice;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.core.memory.PortBus;
import org.vmxsim.core.model.CpuModel;
import org.vmxsim.core.platform.Bench;
import org.vmxsim.core.platform.pic.PicPair;
import org.vmxsim.core.system.ModelSpecificRegisters;
import org.vmxsim.core.time.DividedClock;

/** Numbers typed from the SDM's chapter of the APIC: offsets, MSRs, bits. Time: one tick a pulse of the timer. */
class LocalApicTest {
    private static final int TIMER_HERTZ = 1_000_000;

    private final Bench bench = new Bench();
    private final PicPair pic = new PicPair(this::picChanged);
    private final ApicBus bus = new ApicBus();
    private final Processor[] cpus = new Processor[3];
    private final LocalApic[] apics = new LocalApic[3];
    private final LocalApicPage page;
    private final IoApic io = new IoApic(bus);

    LocalApicTest() {
        for (int i = 0; i < cpus.length; i++) {
            cpus[i] = new Processor(PhysicalMemory.flat(1 << 20), new PortBus(), CpuModel.MAX);
            DividedClock clock = new DividedClock(TIMER_HERTZ, TIMER_HERTZ);
            apics[i] = new LocalApic(cpus[i], i, bus, pic, bench.queue, clock);
            cpus[i].pins.connect(apics[i], bench.queue);
        }
        page = new LocalApicPage(apics[0]);
        for (int i = 2; i >= 0; i--) {
            page.turn(apics[i]);
            write(0xf0, 0x1ff);
        }
    }

    private void picChanged() {
        for (LocalApic apic : apics) {
            apic.interruptLine();
        }
    }

    private void write(int offset, int value) {
        page.write(offset, 4, value & 0xffff_ffffL);
    }

    private int read(int offset) {
        return (int) page.read(offset, 4);
    }

    private int pending(int cpu) {
        return cpus[cpu].pins.interruptRequest();
    }

    private void take(int cpu, int vector) {
        assertThat(pending(cpu)).isEqualTo(vector);
        cpus[cpu].pins.acknowledgeInterrupt();
    }

    private boolean writable(int msr, long value) {
        return ModelSpecificRegisters.isWritable(cpus[0], msr, value);
    }

    private void wrmsr(int msr, long value) {
        assertThat(writable(msr, value)).isTrue();
        ModelSpecificRegisters.write(cpus[0], msr, value);
    }

    private long rdmsr(int msr) {
        assertThat(ModelSpecificRegisters.isReadable(cpus[0], msr)).isTrue();
        return ModelSpecificRegisters.read(cpus[0], msr);
    }

    /** A self-IPI in xAPIC mode. */
    private void self(int vector) {
        write(0x300, 0x44000 | vector);
    }

    @Test
    @DisplayName("Registers after reset")
    void reset() {
        apics[0].initialized();
        assertThat(read(0x30) & 0xffff).isEqualTo(0x14);
        assertThat(read(0x30) >>> 16 & 0xff).isEqualTo(5);
        assertThat(read(0xf0)).isEqualTo(0xff);
        assertThat(read(0xe0)).isEqualTo(-1);
        assertThat(read(0x350)).isEqualTo(0x10000);
        assertThat(read(0x3e0)).isZero();
        write(0x350, 0x700);
        assertThat(read(0x350)).as("software-disabled: the mask stays").isEqualTo(0x10700);
        page.turn(apics[2]);
        assertThat(read(0x20)).isEqualTo(0x0200_0000);
    }

    @Test
    @DisplayName("Vectors come by class against TPR and what is in service; EOI ends the highest")
    void priorities() {
        self(0x41);
        self(0x52);
        self(0x45);
        assertThat(read(0x220)).as("IRR 0x40 to 0x5f").isEqualTo(0x0004_0022);
        take(0, 0x52);
        assertThat(read(0xa0)).as("PPR").isEqualTo(0x50);
        assertThat(read(0x120)).as("ISR").isEqualTo(0x0004_0000);
        self(0x5f);
        assertThat(pending(0)).as("the same class waits").isEqualTo(-1);
        self(0x61);
        take(0, 0x61);
        write(0xb0, 0);
        assertThat(pending(0)).isEqualTo(-1);
        write(0xb0, 0);
        take(0, 0x5f);
        write(0xb0, 0);
        write(0x80, 0x40);
        assertThat(pending(0)).as("TPR class 4").isEqualTo(-1);
        assertThat(cpus[0].cr8).isEqualTo(4);
        cpus[0].cr8 = 3;
        apics[0].taskPriorityWritten();
        assertThat(read(0x80)).isEqualTo(0x30);
        take(0, 0x45);
        write(0x80, 0x4c);
        assertThat(read(0xa0)).as("TPR wins among equal classes").isEqualTo(0x4c);
        write(0xb0, 0);
        write(0xb0, 0);
        assertThat(read(0x220)).isEqualTo(0x2);
    }

    @Test
    @DisplayName("ICR: physical, flat and cluster destinations, shorthands, broadcast")
    void destinations() {
        write(0x310, 0x0200_0000);
        write(0x300, 0x4033);
        take(2, 0x33);
        assertThat(pending(1)).isEqualTo(-1);
        write(0x300, 0xc4044);
        assertThat(pending(0)).as("all but self").isEqualTo(-1);
        take(1, 0x44);
        take(2, 0x44);
        write(0x300, 0x84055);
        take(0, 0x55);
        take(1, 0x55);
        write(0x310, 0xff00_0000);
        write(0x300, 0x4066);
        take(0, 0x66);
        take(1, 0x66);
        logical();
    }

    private void logical() {
        page.turn(apics[1]);
        write(0xd0, 0x0200_0000);
        page.turn(apics[2]);
        write(0xd0, 0x3400_0000);
        write(0xe0, 0x0fff_ffff);
        page.turn(apics[0]);
        write(0x310, 0x0600_0000);
        write(0x300, 0x4871);
        assertThat(pending(1)).as("flat: bit 1").isEqualTo(0x71);
        assertThat(pending(2)).as("not cluster 0").isEqualTo(0x66);
        write(0x310, 0x3c00_0000);
        write(0x300, 0x4872);
        assertThat(pending(2)).as("cluster 3, bit 2").isEqualTo(0x72);
        assertThat(pending(1)).isEqualTo(0x71);
        write(0x310, 0xf400_0000);
        write(0x300, 0x4873);
        assertThat(pending(2)).as("every cluster, bit 2").isEqualTo(0x73);
        write(0x310, 0xf800_0000);
        write(0x300, 0x4874);
        assertThat(pending(2)).as("every cluster, bit 3").isEqualTo(0x73);
    }

    @Test
    @DisplayName("Lowest priority goes to who has the lowest processor priority")
    void lowestPriority() {
        write(0x80, 0x20);
        write(0x310, 0xff00_0000);
        write(0x300, 0x4155);
        take(1, 0x55);
        write(0x300, 0x4156);
        assertThat(pending(2)).isEqualTo(0x56);
        assertThat(pending(0)).isEqualTo(-1);
    }

    @Test
    @DisplayName("NMI by ICR; not to self; a disabled APIC takes NMI and no vectors")
    void nonMaskable() {
        write(0x300, 0x44400);
        assertThat(cpus[0].pins.nmiWaits()).isFalse();
        page.turn(apics[1]);
        write(0xf0, 0xff);
        page.turn(apics[0]);
        write(0x310, 0x0100_0000);
        write(0x300, 0x4400);
        write(0x300, 0x4050);
        assertThat(cpus[1].pins.nmiWaits()).isTrue();
        assertThat(pending(1)).isEqualTo(-1);
    }

    @Test
    @DisplayName("ESR: illegal vectors and registers, latched by a write; the error interrupt")
    void errors() {
        write(0x370, 0xe1);
        self(0x0f);
        assertThat(read(0x280)).isZero();
        write(0x280, 0);
        assertThat(read(0x280)).isEqualTo(0x20);
        take(0, 0xe1);
        read(0x40);
        write(0x320, 0x08);
        write(0x3e0, 0xb);
        write(0x380, 5);
        bench.advance(5);
        write(0x280, 0);
        assertThat(read(0x280)).isEqualTo(0xc0);
        write(0x280, 0);
        assertThat(read(0x280)).isZero();
        write(0x370, 0x05);
        self(0x0f);
        write(0x280, 0);
        assertThat(read(0x280))
                .as("the vector of the error interrupt is illegal too")
                .isEqualTo(0x60);
        assertThat(pending(0)).isEqualTo(-1);
    }

    @Test
    @DisplayName("Timer: one-shot by divisor 16, the count as it goes, nothing afterwards")
    void oneShot() {
        write(0x320, 0x60);
        write(0x3e0, 0x3);
        write(0x380, 100);
        bench.advance(160);
        assertThat(read(0x390)).isEqualTo(90);
        write(0x3e0, 0xb);
        assertThat(read(0x390)).isEqualTo(90);
        bench.advance(249);
        assertThat(pending(0)).isEqualTo(-1);
        bench.advance(250);
        take(0, 0x60);
        assertThat(read(0x390)).isZero();
        assertThat(read(0x380)).isEqualTo(100);
    }

    @Test
    @DisplayName("Divide configuration: 0, 1, 2, 3, 8, 9, 0xa are 2 to 128, 0xb is 1")
    void divisors() {
        int[][] table = {{0, 2}, {1, 4}, {2, 8}, {3, 16}, {8, 32}, {9, 64}, {0xa, 128}, {0xb, 1}};
        for (int[] row : table) {
            write(0x3e0, row[0]);
            write(0x380, 10);
            assertThat(bench.queue.next() - bench.now()).as("code " + row[0]).isEqualTo(10L * row[1]);
        }
        write(0x380, 0);
        assertThat(bench.queue.next()).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    @DisplayName("Timer: periodic; masked it counts and does not interrupt")
    void periodic() {
        write(0x320, 0x20060);
        write(0x3e0, 0xb);
        write(0x380, 30);
        for (int i = 1; i <= 3; i++) {
            bench.advance(30 * i - 1);
            assertThat(pending(0)).isEqualTo(-1);
            bench.advance(30 * i);
            take(0, 0x60);
            write(0xb0, 0);
        }
        write(0x320, 0x30060);
        bench.advance(130);
        assertThat(pending(0)).isEqualTo(-1);
        assertThat(read(0x390)).isEqualTo(20);
    }

    @Test
    @DisplayName("Timer: TSC deadline; IA32_TSC_ADJUST moves it; another mode disarms")
    void deadline() {
        write(0x320, 0x40060);
        wrmsr(0x6e0, 500);
        assertThat(rdmsr(0x6e0)).isEqualTo(500);
        write(0x380, 7);
        assertThat(read(0x380)).as("ignored").isZero();
        wrmsr(0x3b, 100);
        bench.advance(399);
        assertThat(pending(0)).isEqualTo(-1);
        bench.advance(400);
        take(0, 0x60);
        assertThat(rdmsr(0x6e0)).isZero();
        wrmsr(0x6e0, 600);
        write(0x320, 0x60);
        assertThat(rdmsr(0x6e0)).isZero();
        wrmsr(0x6e0, 700);
        assertThat(rdmsr(0x6e0)).as("ignored outside the mode").isZero();
    }

    @Test
    @DisplayName("LINT0 takes the 8259 pair in ExtINT mode, beside TPR; LINT1 gives NMI")
    void virtualWire() {
        apics[0].virtualWire();
        for (int octet : new int[] {0x11, 0x20, 4, 1}) {
            pic.out(octet == 0x11 ? 0x20 : 0x21, 1, octet);
        }
        write(0x80, 0xf0);
        pic.input(3, true);
        assertThat(pending(1)).isEqualTo(-1);
        take(0, 0x23);
        assertThat(pending(0)).isEqualTo(-1);
        apics[0].nonMaskableLine(true);
        assertThat(cpus[0].pins.nmiWaits()).isTrue();
    }

    @Test
    @DisplayName("x2APIC: the modes that IA32_APIC_BASE may go through")
    void modes() {
        assertThat(writable(0x1b, 0xfee0_0500L)).as("EXTD without EN").isFalse();
        assertThat(writable(0x1b, 0xfee0_0b00L)).as("bit 9").isFalse();
        assertThat(ModelSpecificRegisters.isReadable(cpus[0], 0x802)).isFalse();
        wrmsr(0x1b, 0xfee0_0d00L);
        assertThat(read(0x30)).as("the page is gone").isEqualTo(-1);
        assertThat(writable(0x1b, 0xfee0_0900L)).as("back to xAPIC").isFalse();
        wrmsr(0x1b, 0xfee0_0100L);
        assertThat(apics[0].cpuid(1, 0, 3, 0)).as("CPUID: HTT without APIC").isEqualTo(0x1000_0000);
        assertThat(writable(0x1b, 0xfee0_0d00L)).as("disabled to x2APIC").isFalse();
        wrmsr(0x1b, 0xfee0_0900L);
        assertThat(read(0xf0)).as("state was lost").isEqualTo(0xff);
        assertThat(apics[0].cpuid(1, 0, 3, 0)).isEqualTo(0x1000_0200);
        assertThat(apics[2].cpuid(1, 0, 1, 0x00ff_0800))
                .as("ID 2 of 4 addressable ones")
                .isEqualTo(0x0204_0800);
    }

    @Test
    @DisplayName("x2APIC: registers as MSRs, reserved bits, 64-bit ICR, self-IPI")
    void extended() {
        wrmsr(0x1b, 0xfee0_0d00L);
        page.turn(apics[1]);
        assertThat(rdmsr(0x802)).isZero();
        assertThat(rdmsr(0x80d)).isEqualTo(1);
        assertThat(apics[2].extendedLogicalId()).isEqualTo(4);
        for (int msr : new int[] {0x80e, 0x831, 0x80b, 0x83f, 0x82f, 0x8ff}) {
            assertThat(ModelSpecificRegisters.isReadable(cpus[0], msr))
                    .as("0x%x", msr)
                    .isFalse();
        }
        assertThat(writable(0x808, 0x100)).isFalse();
        assertThat(writable(0x80b, 1)).isFalse();
        assertThat(writable(0x828, 1)).isFalse();
        assertThat(writable(0x802, 0)).isFalse();
        assertThat(writable(0x830, 0x1000)).isFalse();
        wrmsr(0x830, 0x1_0000_0000L | 0x4044);
        assertThat(pending(1)).isEqualTo(0x44);
        assertThat(rdmsr(0x830)).isEqualTo(0x1_0000_4044L);
        wrmsr(0x83f, 0x66);
        take(0, 0x66);
        wrmsr(0x80b, 0);
        wrmsr(0x830, 0xffff_ffff_0000_4077L);
        assertThat(pending(2)).as("broadcast").isEqualTo(0x77);
    }

    private void redirect(int pin, int high, int low) {
        io.write(0, 4, 0x11 + 2 * pin);
        io.write(0x10, 4, high);
        io.write(0, 4, 0x10 + 2 * pin);
        io.write(0x10, 4, low);
    }

    private int low(int pin) {
        io.write(0, 4, 0x10 + 2 * pin);
        return (int) io.read(0x10, 4);
    }

    @Test
    @DisplayName("I/O APIC: version, masked after reset; an edge is sent once, and lost while masked")
    void ioEdges() {
        io.write(0, 4, 1);
        assertThat(io.read(0x10, 4)).isEqualTo(0x0017_0020L);
        assertThat(low(23)).isEqualTo(0x10000);
        io.input(4, true);
        redirect(4, 0x0100_0000, 0x44);
        assertThat(pending(1)).as("the edge came before").isEqualTo(-1);
        io.input(4, false);
        io.input(4, true);
        take(1, 0x44);
        io.input(4, true);
        assertThat(pending(1)).isEqualTo(-1);
        redirect(4, -1, -1);
        assertThat(low(4)).as("status bits are read-only").isEqualTo(0x1afff);
    }

    @Test
    @DisplayName("I/O APIC: a level is sent again after EOI while it lasts; remote IRR between")
    void ioLevels() {
        redirect(16, 0, 0x8050);
        io.input(16, true);
        take(0, 0x50);
        assertThat(low(16)).isEqualTo(0xc050);
        assertThat(read(0x1a0)).as("TMR").isEqualTo(0x10000);
        write(0xb0, 0);
        take(0, 0x50);
        io.input(16, false);
        write(0xb0, 0);
        assertThat(pending(0)).isEqualTo(-1);
        assertThat(low(16)).isEqualTo(0x8050);
        redirect(16, 0, 0x18050);
        io.input(16, true);
        assertThat(pending(0)).isEqualTo(-1);
        redirect(16, 0, 0x8050);
        take(0, 0x50);
    }

    @Test
    @DisplayName("I/O APIC: NMI is an edge, even where the entry says level")
    void ioNonMaskable() {
        redirect(5, 0, 0x8400);
        io.input(5, true);
        assertThat(cpus[0].pins.nmiWaits()).isTrue();
        assertThat(low(5)).as("no remote IRR").isEqualTo(0x8400);
    }

    @Test
    @DisplayName("I/O APIC: with EOI broadcasts suppressed its own EOI register ends the level")
    void ioDirectedEnd() {
        write(0xf0, 0x11ff);
        redirect(17, 0, 0x8051);
        io.input(17, true);
        take(0, 0x51);
        write(0xb0, 0);
        assertThat(pending(0)).isEqualTo(-1);
        io.write(0x40, 4, 0x51);
        take(0, 0x51);
    }

    @Test
    @DisplayName("Relocating the Local APIC Registers: each processor finds its own where it has moved it")
    void relocation() {
        MmioDevice moved = page.moved();
        page.turn(apics[0]);
        wrmsr(0x1b, 0xfed4_0900L);
        assertThat(moved.read(0xfed4_0030L, 4)).isEqualTo(0x0105_0014);
        moved.write(0xfed4_0080L, 4, 0x70);
        assertThat(cpus[0].cr8).isEqualTo(7);
        assertThat(read(0x30)).as("nothing at the old place").isEqualTo(-1);
        assertThat(moved.read(0xfee4_0030L, 4)).isEqualTo(0xffff_ffffL);
        page.turn(apics[1]);
        assertThat(moved.read(0xfed4_0030L, 1)).isEqualTo(0xff);
        assertThat(read(0x20)).isEqualTo(0x0100_0000);
        page.turn(apics[0]);
        wrmsr(0x1b, 0xfed4_0d00L);
        assertThat(moved.read(0xfed4_0030L, 8)).as("x2APIC mode").isEqualTo(-1);
    }

    @Test
    @DisplayName("Local APIC ID: writable without x2APIC, kept by INIT, lost by disabling the APIC")
    void localApicId() {
        write(0x20, 0x0700_0000);
        assertThat(read(0x20)).as("with x2APIC").isZero();
        CpuModel minimal = CpuModel.named("minimal");
        Processor cpu = new Processor(PhysicalMemory.flat(1 << 20), new PortBus(), minimal);
        LocalApic apic = new LocalApic(cpu, 3, bus, pic, bench.queue, new DividedClock(TIMER_HERTZ, TIMER_HERTZ));
        cpu.pins.connect(apic, bench.queue);
        page.turn(apic);
        write(0xf0, 0x1ff);
        write(0x20, 0x0700_0000);
        assertThat(read(0x20)).isEqualTo(0x0700_0000);
        for (int destination : new int[] {3, 7}) {
            assertThat(cpu.pins.interruptRequest()).isEqualTo(-1);
            write(0x310, destination << 24);
            write(0x300, 0x4051);
        }
        assertThat(cpu.pins.interruptRequest()).isEqualTo(0x51);
        assertThat(apic.cpuid(1, 0, 1, 0) >>> 24).as("CPUID has the initial ID").isEqualTo(3);
        apic.initialized();
        assertThat(read(0x20)).isEqualTo(0x0700_0000);
        ModelSpecificRegisters.write(cpu, 0x1b, 0xfee0_0000L);
        ModelSpecificRegisters.write(cpu, 0x1b, 0xfee0_0800L);
        assertThat(read(0x20)).isEqualTo(0x0300_0000);
    }
}
