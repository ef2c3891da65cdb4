package org.vmxsim.core.platform.pc;

import org.vmxsim.core.memory.MmioDevice;
import org.vmxsim.core.memory.PhysicalMemory;
import org.vmxsim.core.memory.PortBus;
import org.vmxsim.core.memory.PortDevice;
import org.vmxsim.core.platform.apic.IoApic;

/**
 * The test device that kvm-unit-tests expects of a PC: ports that raise its interrupt requests, a register of 32 bits,
 * and memory that is a device. As QEMU 8 has it ("pc-testdev").
 *
 * <p>Ports 0xe0 to 0xe3 and again 0xe8 to 0xeb are the bytes of the register; 0xe4 takes the address of a page whose
 * mapping a hypervisor should drop, which no hypervisor hears here; a byte written to 0x2000 + n sets request n of the
 * board, or pin n of the I/O APIC from 16 up. 64 KiB at 0xff000000 keep what is stored.
 */
final class TestDevice implements PortDevice, MmioDevice {
    private static final int REGISTER = 0xe0;
    private static final int FLUSH = 0xe4;
    private static final int REGISTER_BY_BYTES = 0xe8;
    private static final int REGISTER_PORTS = 4;
    private static final int REQUESTS = 0x2000;
    private static final long MEMORY = 0xff00_0000L;
    private static final int MEMORY_BYTES = 0x1_0000;
    private static final int BOARD_REQUESTS = 16;
    private static final int CASCADE = 2;

    private final PcPlatform board;
    private final byte[] stored = new byte[MEMORY_BYTES];
    private int register;

    TestDevice(PcPlatform board) {
        this.board = board;
    }

    void attach(PortBus ports, PhysicalMemory memory) {
        ports.attach(REGISTER, REGISTER_PORTS, this);
        ports.attach(FLUSH, REGISTER_PORTS, this);
        ports.attach(REGISTER_BY_BYTES, REGISTER_PORTS, this);
        ports.attach(REQUESTS, IoApic.PINS, this);
        memory.addDevice(MEMORY, MEMORY_BYTES, this);
    }

    private static boolean isRegister(int port) {
        return (port & ~3) == REGISTER || (port & ~3) == REGISTER_BY_BYTES;
    }

    @Override
    public int in(int port, int sizeBytes) {
        return isRegister(port) ? register >>> 8 * (port & 3) : -1;
    }

    @Override
    public void out(int port, int sizeBytes, int value) {
        if (isRegister(port)) {
            int shift = 8 * (port & 3);
            int mask = (sizeBytes == 4 ? -1 : (1 << 8 * sizeBytes) - 1) << shift;
            register = register & ~mask | value << shift & mask;
        } else if (port >= REQUESTS) {
            request(port - REQUESTS, (value & 0xff) != 0);
        }
    }

    private void request(int number, boolean level) {
        if (number >= BOARD_REQUESTS) {
            board.ioApicPin(number, level);
        } else if (number != CASCADE) {
            board.request(number, level);
        }
    }

    @Override
    public long read(long offset, int sizeBytes) {
        long value = 0;
        for (int i = 0; i < sizeBytes; i++) {
            value |= (stored[(int) offset + i] & 0xffL) << 8 * i;
        }
        return value;
    }

    @Override
    public void write(long offset, int sizeBytes, long value) {
        for (int i = 0; i < sizeBytes; i++) {
            stored[(int) offset + i] = (byte) (value >>> 8 * i);
        }
    }
}
