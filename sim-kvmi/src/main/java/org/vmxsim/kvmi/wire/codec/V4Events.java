package org.vmxsim.kvmi.wire.codec;

import static org.vmxsim.kvmi.wire.codec.RegisterLayout.bit;

import java.nio.ByteBuffer;
import java.util.EnumSet;
import java.util.Set;
import org.vmxsim.kvmi.message.Event;
import org.vmxsim.kvmi.message.EventContext;
import org.vmxsim.kvmi.message.EventKind;

/**
 * The events of the fourth posting, numbered by a bit each: {@code struct kvmi_event} and what follows it. Source: the
 * headers {@code kvmi.h} of its first patch.
 */
final class V4Events {
    /** Size of {@code struct kvmi_event}. */
    static final int COMMON_BYTES = 528;

    private static final int ID = 23;
    private static final int GENERAL = 8;
    private static final int SYSTEM = 152;
    private static final int MSRS = 464;

    private static final Set<EventKind> KINDS = EnumSet.of(
            EventKind.CR,
            EventKind.MSR,
            EventKind.XSETBV,
            EventKind.BREAKPOINT,
            EventKind.HYPERCALL,
            EventKind.PAGE_FAULT,
            EventKind.TRAP,
            EventKind.DESCRIPTOR,
            EventKind.CREATE_VCPU,
            EventKind.PAUSE_VCPU);

    private V4Events() {}

    static Set<EventKind> kinds() {
        return EnumSet.copyOf(KINDS);
    }

    /** The bit of an event; 0 if the format does not have it. */
    static int bitOf(EventKind kind) {
        return switch (kind) {
            case CR -> 0x002;
            case MSR -> 0x004;
            case XSETBV -> 0x008;
            case BREAKPOINT -> 0x010;
            case HYPERCALL -> 0x020;
            case PAGE_FAULT -> 0x040;
            case TRAP -> 0x080;
            case DESCRIPTOR -> 0x100;
            case CREATE_VCPU -> 0x200;
            case PAUSE_VCPU -> 0x400;
            case UNHOOK, SINGLESTEP, CMD_ERROR, CPUID -> 0;
        };
    }

    /** The events of a mask, or null if it has a bit that is none's. */
    static Set<EventKind> kindsOf(int mask) {
        Set<EventKind> kinds = EnumSet.noneOf(EventKind.class);
        int left = mask;
        for (EventKind kind : KINDS) {
            if ((mask & bitOf(kind)) != 0) {
                kinds.add(kind);
                left &= ~bitOf(kind);
            }
        }
        return left == 0 ? kinds : null;
    }

    static byte[] encode(int sequence, Event event) {
        if (bitOf(event.kind()) == 0) {
            throw new IllegalArgumentException("need an event that the first format has, got " + event.kind());
        }
        int size = COMMON_BYTES + specificBytes(event.kind());
        ByteBuffer message = MessageHeader.start(ID, size, sequence);
        ByteBuffer payload = message.slice(MessageHeader.BYTES, size).order(message.order());
        putCommon(payload, bitOf(event.kind()), event.context());
        putSpecific(payload.slice(COMMON_BYTES, size - COMMON_BYTES).order(message.order()), event);
        return message.array();
    }

    private static int specificBytes(EventKind kind) {
        return switch (kind) {
            case CR, MSR, PAGE_FAULT, TRAP, DESCRIPTOR -> 24;
            case BREAKPOINT -> 8;
            case UNHOOK, XSETBV, HYPERCALL, CREATE_VCPU, PAUSE_VCPU, SINGLESTEP, CMD_ERROR, CPUID -> 0;
        };
    }

    private static void putCommon(ByteBuffer to, int bit, EventContext context) {
        to.putInt(0, bit);
        to.putShort(4, (short) context.vcpu());
        to.put(6, (byte) context.modeBytes());
        RegisterLayout.putGeneral(to, GENERAL, context.general());
        RegisterLayout.putSystem(to, SYSTEM, context.system());
        RegisterLayout.putMsrs(to, MSRS, context.msrs());
    }

    private static void putSpecific(ByteBuffer to, Event event) {
        if (event instanceof Event.PageFault e) {
            to.putLong(0, e.gva()).putLong(8, e.gpa()).putInt(16, e.access());
        } else if (event instanceof Event.Cr e) {
            to.putShort(0, (short) e.cr()).putLong(8, e.oldValue()).putLong(16, e.newValue());
        } else if (event instanceof Event.Msr e) {
            to.putInt(0, e.msr()).putLong(8, e.oldValue()).putLong(16, e.newValue());
        } else if (event instanceof Event.Breakpoint e) {
            to.putLong(0, e.gpa());
        } else if (event instanceof Event.Trap e) {
            to.putInt(0, e.vector())
                    .putInt(4, e.type())
                    .putInt(8, e.errorCode())
                    .putLong(16, e.cr2());
        } else if (event instanceof Event.Descriptor e) {
            to.putInt(0, e.instructionInformation()).putLong(8, e.exitQualification());
            to.put(16, (byte) BranchV7Events.registerNumber(e.register())).put(17, bit(e.write()));
        }
    }
}
