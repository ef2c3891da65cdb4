package org.vmxsim.core.platform.apic;

/**
 * The registers of a local APIC by number, which is their offset in the xAPIC page divided by 16, and their x2APIC MSR
 * minus 0x800; IA32_APIC_BASE, IA32_TSC_DEADLINE, and what CPUID says.
 *
 * <p>SDM tables "Local APIC Register Address Map", "Local APIC Register Address Map Supported by x2APIC".
 */
final class ApicRegisters {
    static final int APIC_BASE = 0x1b;
    static final int TSC_DEADLINE = 0x6e0;
    static final int FIRST_MSR = 0x800;

    private static final int ID = 0x02;
    private static final int VERSION = 0x03;
    private static final int TASK_PRIORITY = 0x08;
    private static final int ARBITRATION_PRIORITY = 0x09;
    private static final int PROCESSOR_PRIORITY = 0x0a;
    private static final int END_OF_INTERRUPT = 0x0b;
    private static final int REMOTE_READ = 0x0c;
    private static final int LOGICAL_DESTINATION = 0x0d;
    private static final int DESTINATION_FORMAT = 0x0e;
    private static final int SPURIOUS = 0x0f;
    private static final int IN_SERVICE = 0x10;
    private static final int TRIGGER_MODE = 0x18;
    private static final int REQUEST = 0x20;
    private static final int ERROR_STATUS = 0x28;
    private static final int COMMAND = 0x30;
    private static final int COMMAND_HIGH = 0x31;
    private static final int LOCAL_VECTOR_TABLE = 0x32;
    private static final int INITIAL_COUNT = 0x38;
    private static final int CURRENT_COUNT = 0x39;
    private static final int DIVIDE = 0x3e;
    private static final int SELF = 0x3f;

    /** Version 0x14, six entries in the local vector table, suppression of EOI broadcasts. */
    private static final int VERSION_VALUE = 0x0105_0014;

    private static final long GLOBALLY_ENABLED = 1 << 11;
    private static final long EXTENDED = 1 << 10;
    private static final long MODE = GLOBALLY_ENABLED | EXTENDED;
    private static final int TOPOLOGY_LEAF = 0xb;

    private final LocalApic apic;
    private final boolean hasExtended;
    private int command;
    private int commandHigh;

    ApicRegisters(LocalApic apic) {
        this.apic = apic;
        this.hasExtended = apic.cpu.model.cpuid(0, 0, 0) >= TOPOLOGY_LEAF;
    }

    void reset() {
        command = 0;
        commandHigh = 0;
    }

    // ---- the page of xAPIC mode

    /** A 32-bit load. */
    int load(int number) {
        if (!isMapped(number)) {
            apic.error(LocalApic.ILLEGAL_REGISTER);
            return 0;
        }
        return switch (number) {
            case ID -> apic.identifier << 24;
            case LOGICAL_DESTINATION -> apic.logicalDestination;
            case DESTINATION_FORMAT -> apic.destinationFormat;
            case COMMAND_HIGH -> commandHigh;
            case ARBITRATION_PRIORITY, REMOTE_READ, END_OF_INTERRUPT -> 0;
            default -> common(number);
        };
    }

    private boolean isMapped(int number) {
        boolean both = isCommon(number) || number == END_OF_INTERRUPT;
        return both
                || number == ARBITRATION_PRIORITY
                || number == REMOTE_READ
                || number == DESTINATION_FORMAT
                || number == COMMAND_HIGH;
    }

    /** Registers that can be read in both modes. */
    private static boolean isCommon(int number) {
        boolean sets = number >= IN_SERVICE && number < REQUEST + 8;
        boolean table = number >= LOCAL_VECTOR_TABLE && number < LOCAL_VECTOR_TABLE + LocalVectorTable.ENTRIES;
        return sets
                || table
                || switch (number) {
                    case ID,
                            VERSION,
                            TASK_PRIORITY,
                            PROCESSOR_PRIORITY,
                            LOGICAL_DESTINATION,
                            SPURIOUS,
                            ERROR_STATUS,
                            COMMAND,
                            INITIAL_COUNT,
                            CURRENT_COUNT,
                            DIVIDE -> true;
                    default -> false;
                };
    }

    private int common(int number) {
        return switch (number) {
            case VERSION -> VERSION_VALUE;
            case TASK_PRIORITY -> apic.taskPriority();
            case PROCESSOR_PRIORITY -> apic.processorPriority();
            case SPURIOUS -> apic.spurious();
            case ERROR_STATUS -> apic.errorStatus();
            case COMMAND -> command;
            case INITIAL_COUNT -> apic.timer.initialCount();
            case CURRENT_COUNT -> apic.timer.currentCount();
            case DIVIDE -> apic.timer.divideConfiguration();
            default -> setOrTable(number);
        };
    }

    private int setOrTable(int number) {
        if (number >= LOCAL_VECTOR_TABLE) {
            return apic.table.get(number - LOCAL_VECTOR_TABLE);
        }
        if (number >= REQUEST) {
            return apic.requested.register(number - REQUEST);
        }
        return number >= TRIGGER_MODE
                ? apic.levelTriggered.register(number - TRIGGER_MODE)
                : apic.inService.register(number - IN_SERVICE);
    }

    /** A 32-bit store; those to read-only registers change nothing. */
    void store(int number, int value) {
        if (!isMapped(number)) {
            apic.error(LocalApic.ILLEGAL_REGISTER);
            return;
        }
        switch (number) {
            case ID -> identify(value >>> 24);
            case LOGICAL_DESTINATION -> apic.logicalDestination = value & 0xff00_0000;
            case DESTINATION_FORMAT -> apic.destinationFormat = value | 0x0fff_ffff;
            case COMMAND_HIGH -> commandHigh = value & 0xff00_0000;
            case COMMAND -> {
                command = value & 0xc_cfff;
                send(commandHigh >>> 24, false);
            }
            default -> storeCommon(number, value);
        }
    }

    /** "The ability of software to modify the APIC ID is processor model specific": not with x2APIC here. */
    private void identify(int identifier) {
        if (!hasExtended) {
            apic.identifier = identifier;
        }
    }

    private void storeCommon(int number, int value) {
        switch (number) {
            case TASK_PRIORITY -> apic.taskPriority(value);
            case END_OF_INTERRUPT -> apic.endOfInterrupt();
            case SPURIOUS -> apic.spurious(value);
            case ERROR_STATUS -> apic.latchErrors();
            case INITIAL_COUNT -> apic.timer.initialCount(value);
            case DIVIDE -> apic.timer.divideConfiguration(value);
            default -> {
                if (number >= LOCAL_VECTOR_TABLE && number < LOCAL_VECTOR_TABLE + LocalVectorTable.ENTRIES) {
                    apic.localVector(number - LOCAL_VECTOR_TABLE, value);
                }
            }
        }
    }

    // ---- the interrupt command register

    private void send(int destination, boolean extended) {
        int deliveryMode = command >>> 8 & 7;
        int vector = command & 0xff;
        boolean level = (command & 1 << 15) != 0;
        boolean asserted = (command & 1 << 14) != 0;
        if (deliveryMode == InterruptMessage.INIT && level && !asserted) {
            // INIT level de-assert: an order to arbitration IDs, which there are none of
            return;
        }
        boolean usesVector = deliveryMode <= InterruptMessage.LOWEST_PRIORITY;
        if (usesVector && vector < 16) {
            apic.error(LocalApic.SEND_ILLEGAL_VECTOR);
            return;
        }
        if (deliveryMode == 3 || deliveryMode == InterruptMessage.EXTERNAL) {
            return;
        }
        boolean logical = (command & 1 << 11) != 0;
        // "the trigger mode ... for all other delivery modes the processor uses edge": IPIs never set TMR
        InterruptMessage message = new InterruptMessage(destination, logical, extended, deliveryMode, vector, false);
        shorthand(message);
    }

    /** SDM table "Valid Combinations for the ... Interrupt Command Register": self and all take fixed delivery only. */
    private void shorthand(InterruptMessage message) {
        boolean fixed = message.deliveryMode() == InterruptMessage.FIXED;
        switch (command >>> 18 & 3) {
            case 0 -> apic.bus.send(message);
            case 1 -> {
                if (fixed) {
                    apic.receive(message);
                }
            }
            case 2 -> {
                if (fixed) {
                    apic.bus.sendToAll(message, null);
                }
            }
            default -> apic.bus.sendToAll(message, apic);
        }
    }

    // ---- MSRs

    static boolean owns(int msr) {
        return msr == APIC_BASE || msr == TSC_DEADLINE || msr >>> 8 == FIRST_MSR >>> 8;
    }

    boolean reads(int msr) {
        if (msr == APIC_BASE || msr == TSC_DEADLINE) {
            return msr == APIC_BASE || hasExtended;
        }
        return apic.isExtended() && isRegister(msr) && isCommon(msr - FIRST_MSR);
    }

    private static boolean isRegister(int msr) {
        return msr >= FIRST_MSR && msr <= FIRST_MSR + SELF;
    }

    long readMsr(int msr) {
        if (msr == APIC_BASE) {
            return apic.cpu.apicBase;
        }
        if (msr == TSC_DEADLINE) {
            return apic.timer.deadline();
        }
        return switch (msr - FIRST_MSR) {
            case ID -> apic.id;
            case LOGICAL_DESTINATION -> apic.extendedLogicalId() & 0xffff_ffffL;
            case COMMAND -> (long) commandHigh << 32 | command & 0xffff_ffffL;
            default -> common(msr - FIRST_MSR) & 0xffff_ffffL;
        };
    }

    boolean allows(int msr, long value) {
        if (msr == APIC_BASE) {
            return allowsBase(value);
        }
        if (msr == TSC_DEADLINE) {
            return hasExtended;
        }
        int number = msr - FIRST_MSR;
        if (!apic.isExtended() || !isRegister(msr)) {
            return false;
        }
        return switch (number) {
            case TASK_PRIORITY, SELF -> value >>> 8 == 0;
            case END_OF_INTERRUPT, ERROR_STATUS -> value == 0;
            case SPURIOUS -> (value & ~0x11ffL) == 0;
            case COMMAND -> (value & 0xfff3_3000L) == 0;
            case INITIAL_COUNT -> value >>> 32 == 0;
            case DIVIDE -> (value & ~0xbL) == 0;
            default ->
                number >= LOCAL_VECTOR_TABLE
                        && number < LOCAL_VECTOR_TABLE + LocalVectorTable.ENTRIES
                        && LocalVectorTable.allows(number - LOCAL_VECTOR_TABLE, value);
        };
    }

    /** Reserved bits, and the transitions of SDM "x2APIC State Transitions". */
    private boolean allowsBase(long value) {
        long reserved = 0x2ff | -1L << apic.cpu.model.physicalAddressBits() | (hasExtended ? 0 : EXTENDED);
        long from = apic.cpu.apicBase & MODE;
        long to = value & MODE;
        boolean illegal = to == EXTENDED || from == MODE && to == GLOBALLY_ENABLED || from == 0 && to == MODE;
        return (value & reserved) == 0 && !illegal;
    }

    void writeMsr(int msr, long value) {
        if (msr == APIC_BASE) {
            apic.cpu.apicBase = value;
            apic.modeChanged();
            return;
        }
        if (msr == TSC_DEADLINE) {
            apic.timer.deadline(value);
            return;
        }
        switch (msr - FIRST_MSR) {
            case COMMAND -> {
                commandHigh = (int) (value >>> 32);
                command = (int) value;
                send(commandHigh, true);
            }
            case SELF -> selfInterrupt((int) value);
            default -> storeCommon(msr - FIRST_MSR, (int) value);
        }
    }

    /** SDM "SELF IPI Register": edge-triggered, fixed. */
    private void selfInterrupt(int vector) {
        if (vector < 16) {
            apic.error(LocalApic.SEND_ILLEGAL_VECTOR);
        } else {
            apic.receive(new InterruptMessage(apic.id, false, true, InterruptMessage.FIXED, vector, false));
        }
    }

    // ---- CPUID

    /**
     * Leaf 1: APIC, x2APIC, TSC deadline, the initial APIC ID, and with several processors HTT and how many IDs the
     * package has; leaf 0xb: one thread a core, all cores one package.
     */
    int cpuid(int leaf, int subleaf, int register, int value) {
        if (leaf == 1) {
            return switch (register) {
                case 1 -> value & 0x0000_ffff | identifiers() << 16 | apic.id << 24;
                case 2 -> value | (hasExtended ? 1 << 21 | 1 << 24 : 0);
                case 3 -> value | multithreaded() | ((apic.cpu.apicBase & GLOBALLY_ENABLED) != 0 ? 1 << 9 : 0);
                default -> value;
            };
        }
        if (leaf != TOPOLOGY_LEAF || !hasExtended) {
            return value;
        }
        return switch (register) {
            case 0 -> subleaf == 1 ? 8 : 0;
            case 1 -> subleaf <= 1 && subleaf >= 0 ? subleaf == 0 ? 1 : apic.bus.size() : 0;
            case 2 -> subleaf & 0xff | (subleaf <= 1 && subleaf >= 0 ? subleaf + 1 << 8 : 0);
            default -> apic.id;
        };
    }

    /** Addressable IDs for logical processors of the package: a power of two, of which the field holds 255 at most. */
    private int identifiers() {
        int size = apic.bus.size();
        return Math.min(255, Integer.highestOneBit(2 * size - 1));
    }

    /** HTT says that the package may have more than one logical processor. */
    private int multithreaded() {
        return apic.bus.size() > 1 ? 1 << 28 : 0;
    }
}
