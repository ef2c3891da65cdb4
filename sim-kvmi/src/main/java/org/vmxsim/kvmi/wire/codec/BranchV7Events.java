package org.vmxsim.kvmi.wire.codec;

import static org.vmxsim.kvmi.wire.codec.RegisterLayout.bit;

import java.nio.ByteBuffer;
import org.vmxsim.kvmi.message.Event;
import org.vmxsim.kvmi.message.EventContext;
import org.vmxsim.kvmi.message.EventKind;

/**
 * The events of the branch kvmi-v7: {@code struct kvmi_event} and what follows it. Source: the header {@code kvmi.h} of
 * the branch and of libkvmi.
 */
final class BranchV7Events {
    /** Size of {@code struct kvmi_event}. */
    static final int COMMON_BYTES = 544;

    private static final int ID = 1;
    private static final int GENERAL = 16;
    private static final int SYSTEM = 160;
    private static final int MSRS = 472;

    /** By number. */
    private static final EventKind[] KINDS = {
        EventKind.UNHOOK,
        EventKind.CR,
        EventKind.MSR,
        EventKind.XSETBV,
        EventKind.BREAKPOINT,
        EventKind.HYPERCALL,
        EventKind.PAGE_FAULT,
        EventKind.TRAP,
        EventKind.DESCRIPTOR,
        EventKind.CREATE_VCPU,
        EventKind.PAUSE_VCPU,
        EventKind.SINGLESTEP,
        EventKind.CMD_ERROR,
        EventKind.CPUID
    };

    private BranchV7Events() {}

    /** The event with a number, or null. */
    static EventKind kindOf(int number) {
        return number < KINDS.length ? KINDS[number] : null;
    }

    static int numberOf(EventKind kind) {
        for (int number = 0; number < KINDS.length; number++) {
            if (KINDS[number] == kind) {
                return number;
            }
        }
        throw new AssertionError("an event without a number: " + kind);
    }

    static byte[] encode(int sequence, Event event) {
        int size = COMMON_BYTES + specificBytes(event.kind());
        ByteBuffer message = MessageHeader.start(ID, size, sequence);
        ByteBuffer payload = message.slice(MessageHeader.BYTES, size).order(message.order());
        putCommon(payload, numberOf(event.kind()), event.context());
        putSpecific(payload.slice(COMMON_BYTES, size - COMMON_BYTES).order(message.order()), event);
        return message.array();
    }

    private static int specificBytes(EventKind kind) {
        return switch (kind) {
            case CR, MSR, PAGE_FAULT -> 24;
            case BREAKPOINT, TRAP, CMD_ERROR, CPUID -> 16;
            case DESCRIPTOR, SINGLESTEP -> 8;
            case UNHOOK, XSETBV, HYPERCALL, CREATE_VCPU, PAUSE_VCPU -> 0;
        };
    }

    private static void putCommon(ByteBuffer to, int number, EventContext context) {
        to.putShort(0, (short) COMMON_BYTES);
        to.putShort(2, (short) context.vcpu());
        to.put(4, (byte) number);
        to.put(8, (byte) context.modeBytes());
        to.putShort(10, (short) context.view());
        RegisterLayout.putGeneral(to, GENERAL, context.general());
        RegisterLayout.putSystem(to, SYSTEM, context.system());
        RegisterLayout.putMsrs(to, MSRS, context.msrs());
        to.putLong(MSRS + 64, context.msrs().kernelGsBase());
    }

    private static void putSpecific(ByteBuffer to, Event event) {
        if (event instanceof Event.PageFault e) {
            to.putLong(0, e.gva()).putLong(8, e.gpa()).put(16, (byte) e.access());
            to.putShort(18, (short) e.view());
        } else if (event instanceof Event.Cr e) {
            to.putShort(0, (short) e.cr()).putLong(8, e.oldValue()).putLong(16, e.newValue());
        } else if (event instanceof Event.Msr e) {
            to.putInt(0, e.msr()).putLong(8, e.oldValue()).putLong(16, e.newValue());
        } else if (event instanceof Event.Breakpoint e) {
            to.putLong(0, e.gpa()).put(8, (byte) e.instructionBytes());
        } else if (event instanceof Event.Trap e) {
            to.put(0, (byte) e.vector()).putInt(4, e.errorCode()).putLong(8, e.cr2());
        } else if (event instanceof Event.Descriptor e) {
            to.put(0, (byte) registerNumber(e.register())).put(1, bit(e.write()));
        } else if (event instanceof Event.Singlestep e) {
            to.put(0, bit(e.failed()));
        } else if (event instanceof Event.CmdError e) {
            to.putInt(0, -e.error().number()).putInt(4, e.sequence());
            to.putShort(8, (short) BranchV7Codec.numberOf(e.command()));
        } else if (event instanceof Event.Cpuid e) {
            to.putInt(0, e.function()).putInt(4, e.index()).put(8, (byte) e.instructionBytes());
        }
    }

    /** As both formats number them. */
    static int registerNumber(Event.DescriptorTableRegister register) {
        return switch (register) {
            case IDTR -> 1;
            case GDTR -> 2;
            case LDTR -> 3;
            case TR -> 4;
        };
    }
}
