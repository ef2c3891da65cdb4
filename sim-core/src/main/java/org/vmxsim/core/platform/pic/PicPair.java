package org.vmxsim.core.platform.pic;

import org.vmxsim.core.memory.PortBus;
import org.vmxsim.core.memory.PortDevice;

/**
 * The two interrupt controllers of a PC: the master at ports 0x20 and 0x21, the slave at 0xa0 and 0xa1 behind the
 * master's input 2, and the edge/level control registers 0x4d0 and 0x4d1, in which inputs 0, 1, 2, 8 and 13 stay edges.
 */
public final class PicPair implements PortDevice {
    /** Command port of the master; the data port is the next. */
    public static final int MASTER = 0x20;
    /** Command port of the slave. */
    public static final int SLAVE = 0xa0;
    /** Edge/level control of inputs 0 to 7; that of 8 to 15 is the next. */
    public static final int EDGE_LEVEL = 0x4d0;

    private static final int CASCADE = 2;
    private static final int MASTER_EDGES_ONLY = 0x07;
    private static final int SLAVE_EDGES_ONLY = 0x21;

    private final Pic8259 master = new Pic8259();
    private final Pic8259 slave = new Pic8259();
    private final Runnable outputChanged;
    private boolean output;

    /**
     * Controllers after power-up, with all inputs low.
     *
     * @param outputChanged called when {@link #output} has changed
     */
    public PicPair(Runnable outputChanged) {
        this.outputChanged = outputChanged;
    }

    /**
     * Puts the controllers behind their ports.
     *
     * @param ports the bus
     */
    public void attach(PortBus ports) {
        ports.attach(MASTER, 2, this);
        ports.attach(SLAVE, 2, this);
        ports.attach(EDGE_LEVEL, 2, this);
    }

    /**
     * A request input changes.
     *
     * @param number 0 to 15 without 2
     * @param high whether the input is high now
     * @throws IllegalArgumentException if there is no such input for devices
     */
    public void input(int number, boolean high) {
        if (number < 0 || number > 15 || number == CASCADE) {
            throw new IllegalArgumentException("need an input of 0 to 15, not 2, got " + number);
        }
        if (number < 8) {
            master.input(number, high);
        } else {
            slave.input(number & 7, high);
        }
        settle();
    }

    private void settle() {
        master.input(CASCADE, slave.highest() != Pic8259.NONE);
        boolean now = master.highest() != Pic8259.NONE;
        if (now != output) {
            output = now;
            outputChanged.run();
        }
    }

    /**
     * The interrupt output.
     *
     * @return true while an acknowledge would find a request
     */
    public boolean output() {
        return output;
    }

    /**
     * The vector that {@link #acknowledge} would give, without acknowledging.
     *
     * @return 0 to 255
     */
    public int vector() {
        int input = master.highest();
        if (input == Pic8259.NONE) {
            return master.vector(7);
        }
        if (!cascades(input)) {
            return master.vector(input);
        }
        int behind = slave.highest();
        return slave.vector(behind == Pic8259.NONE ? 7 : behind);
    }

    /**
     * The two acknowledge cycles of a processor. Without a request they give the vector of input 7 (or 15), and nothing
     * gets in service there.
     *
     * @return the vector, 0 to 255
     */
    public int acknowledge() {
        int input = master.acknowledge();
        int vector = cascades(input) ? slave.vector(acknowledgeSlave()) : master.vector(input);
        settle();
        return vector;
    }

    /** The slave's output falls with each acknowledge, so that the next request is an edge for the master. */
    private int acknowledgeSlave() {
        master.input(CASCADE, false);
        return slave.acknowledge();
    }

    /** Whether the slave answers for an input: the master's ICW3 says so, and the slave's that it is the one. */
    private boolean cascades(int input) {
        return input == CASCADE && (master.cascade() & 1 << CASCADE) != 0 && (slave.cascade() & 7) == CASCADE;
    }

    @Override
    public int in(int port, int sizeBytes) {
        int value = switch (port) {
            case EDGE_LEVEL -> master.levelInputs();
            case EDGE_LEVEL + 1 -> slave.levelInputs();
            default -> read(chip(port), (port & 1) != 0);
        };
        settle();
        return value;
    }

    private int read(Pic8259 chip, boolean dataPort) {
        if (chip == slave && chip.polled()) {
            master.input(CASCADE, false);
        }
        return chip.read(dataPort);
    }

    @Override
    public void out(int port, int sizeBytes, int value) {
        int octet = value & 0xff;
        switch (port) {
            case EDGE_LEVEL -> master.levelInputs(octet & ~MASTER_EDGES_ONLY);
            case EDGE_LEVEL + 1 -> slave.levelInputs(octet & ~SLAVE_EDGES_ONLY);
            default -> chip(port).write((port & 1) != 0, octet);
        }
        settle();
    }

    private Pic8259 chip(int port) {
        return (port & ~1) == MASTER ? master : slave;
    }
}
