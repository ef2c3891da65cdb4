package org.vmxsim.core.platform.pc;

import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.List;
import org.vmxsim.core.cpu.CpuState;
import org.vmxsim.core.cpu.Processor;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.core.memory.PortBus;
import org.vmxsim.core.platform.apic.ApicBus;
import org.vmxsim.core.platform.apic.IoApic;
import org.vmxsim.core.platform.apic.LocalApic;
import org.vmxsim.core.platform.apic.LocalApicPage;
import org.vmxsim.core.platform.pic.PicPair;
import org.vmxsim.core.platform.pit.Pit8254;
import org.vmxsim.core.platform.rtc.RealTimeClock;
import org.vmxsim.core.time.DividedClock;
import org.vmxsim.core.time.EventQueue;

/**
 * The chip set of a PC around processors: 8259 pair, 8254, real-time clock, local APICs and I/O APIC, an empty PCI bus,
 * a keyboard controller without keyboard, and reset. The state is that which firmware leaves: the bootstrap processor's
 * local APIC in virtual wire mode, the sizes of RAM in the clock's memory; {@link FirmwareState} has the rest.
 *
 * <p>Devices live in the machine time of the processor that runs, and what they do comes when processor 0 runs; the
 * timer of each local APIC lives in the time of its processor. Interrupt request n is input n of the 8259 pair and pin
 * n of the I/O APIC, but for request 0, which is pin 2; the output of the 8259 pair is pin 0, and LINT0 of every local
 * APIC.
 */
public final class PcPlatform {
    /**
     * Frequency of the local APICs' timers, before the divider: the bus clock, since CPUID leaf 0x15 of no model tells
     * a ratio of core crystal clock and time-stamp counter. SDM "APIC Timer".
     */
    public static final long APIC_TIMER_HERTZ = 100_000_000;
    /** Date and time at the start, so that runs repeat. */
    public static final LocalDateTime START = LocalDateTime.of(2025, 1, 1, 0, 0, 0);

    private static final int PIT_REQUEST = 0;
    private static final int PIT_PIN = 2;
    private static final int CLOCK_REQUEST = 8;
    private static final int FLOATING_POINT_REQUEST = 13;
    private static final int REQUESTS = 16;
    private static final int CASCADE = 2;
    private static final int MOST_PROCESSORS = 255;
    private static final long BOOTSTRAP = 1 << 8;

    private final List<Processor> processors;
    private final List<LocalApic> apics = new ArrayList<>();
    private final PicPair pic = new PicPair(this::picOutput);
    private final ApicBus bus = new ApicBus();
    private final IoApic ioApic = new IoApic(bus);
    private final RealTimeClock clock;
    private final LocalApicPage page;
    private int running;
    private long latest;

    /**
     * Builds the chip set and connects the processors; all but the first wait for a start-up interrupt.
     *
     * @param processors the processors, in the order of their APIC IDs
     * @param memory gets the pages of the APICs
     * @param ports gets the devices
     * @param ticksPerSecond frequency of the processors' time-stamp counters
     * @param reset what a reset of the machine does
     * @throws IllegalArgumentException if there are no processors, or more than APIC IDs
     */
    public PcPlatform(
            List<Processor> processors, PhysicalMemory memory, PortBus ports, long ticksPerSecond, Runnable reset) {
        if (processors.isEmpty() || processors.size() > MOST_PROCESSORS) {
            throw new IllegalArgumentException("need 1 to 255 processors, got " + processors.size());
        }
        this.processors = List.copyOf(processors);
        List<EventQueue> queues = new ArrayList<>();
        DividedClock apicClock = new DividedClock(APIC_TIMER_HERTZ, ticksPerSecond);
        for (Processor cpu : processors) {
            boolean first = queues.isEmpty();
            EventQueue queue = new EventQueue(first ? this::deviceTime : cpu.pins::machineTime, cpu::attention);
            queues.add(queue);
            connect(cpu, queue, apicClock);
        }
        page = new LocalApicPage(apics.get(0));
        memory.addDevice(LocalApicPage.BASE, LocalApicPage.SIZE_BYTES, page);
        memory.answerElsewhere(page.moved());
        memory.addDevice(IoApic.BASE, IoApic.SIZE_BYTES, ioApic);
        EventQueue devices = queues.get(0);
        clock = new RealTimeClock(devices, ticksPerSecond, START, level -> request(CLOCK_REQUEST, level));
        clock.attach(ports);
        new Pit8254(devices, ticksPerSecond, level -> request(PIT_REQUEST, level)).attach(ports);
        pic.attach(ports);
        new PciConfigurationPorts().attach(ports);
        new ResetPorts(reset).attach(ports);
        new KeyboardController(reset).attach(ports);
        new CoprocessorPorts(() -> processors.get(running).x87.errors()).attach(ports);
    }

    /** The time that devices see: the clock of the processor that runs, which may be behind one that ran before. */
    private long deviceTime() {
        latest = Math.max(latest, processors.get(running).pins.machineTime());
        return latest;
    }

    private void connect(Processor cpu, EventQueue queue, DividedClock apicClock) {
        int id = apics.size();
        if (id > 0) {
            cpu.apicBase &= ~BOOTSTRAP;
            cpu.activity = CpuState.WAIT_FOR_SIPI;
        }
        LocalApic apic = new LocalApic(cpu, id, bus, pic, queue, apicClock);
        if (id == 0) {
            apic.virtualWire();
        }
        apics.add(apic);
        cpu.pins.connect(apic, queue);
        cpu.x87.errors().connect(level -> request(FLOATING_POINT_REQUEST, level));
    }

    /** The 8259 pair's output has changed; during construction nobody listens yet. */
    private void picOutput() {
        for (LocalApic apic : apics) {
            apic.interruptLine();
        }
        ioApic.input(0, pic.output());
    }

    /**
     * Adds the test device of kvm-unit-tests: ports from 0xe0 and 0x2000, and memory at 0xff000000.
     *
     * @param memory gets the device's memory
     * @param ports gets its ports
     */
    public void addTestDevice(PhysicalMemory memory, PortBus ports) {
        new TestDevice(this).attach(ports, memory);
    }

    /**
     * Puts the sizes of RAM where firmware leaves them.
     *
     * @param lowBytes RAM below 4 GiB, from address 0
     * @param highBytes RAM from 4 GiB up
     */
    public void memorySize(long lowBytes, long highBytes) {
        clock.memorySize(lowBytes, highBytes);
    }

    /**
     * An interrupt request of the board changes.
     *
     * @param number 0 to 15 without 2
     * @param level whether it is asserted now
     * @throws IllegalArgumentException if there is no such request
     */
    public void request(int number, boolean level) {
        if (number < 0 || number >= REQUESTS || number == CASCADE) {
            throw new IllegalArgumentException("need a request of 0 to 15, not 2, got " + number);
        }
        pic.input(number, level);
        ioApic.input(number == PIT_REQUEST ? PIT_PIN : number, level);
    }

    /**
     * A pin of the I/O APIC that is no request of the board changes.
     *
     * @param pin 16 to 23
     * @param level whether it is asserted now
     * @throws IllegalArgumentException if the pin is not free
     */
    public void ioApicPin(int pin, boolean level) {
        if (pin < REQUESTS || pin >= IoApic.PINS) {
            throw new IllegalArgumentException("need a pin of 16 to 23, got " + pin);
        }
        ioApic.input(pin, level);
    }

    /**
     * Another processor runs now, and the page of the local APICs shows its registers.
     *
     * @param number its place in the list of processors
     */
    public void turn(int number) {
        deviceTime();
        running = number;
        page.turn(apics.get(number));
    }
}
