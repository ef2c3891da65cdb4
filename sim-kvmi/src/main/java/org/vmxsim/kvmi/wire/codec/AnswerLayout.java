package org.vmxsim.kvmi.wire.codec;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import org.vmxsim.kvmi.message.Answer;
import org.vmxsim.kvmi.message.KvmiError;

/** The answers that both formats write alike, and the error block before every answer. */
final class AnswerLayout {
    /** Size of {@code struct kvmi_error_code}. */
    static final int ERROR_BYTES = 8;

    private static final int XSAVE_BYTES = 4096;
    private static final int REGISTERS_BYTES = 472;
    private static final int GENERAL = 8;
    private static final int SYSTEM = 152;
    private static final int MSR_COUNT = 464;
    private static final int MSR_BYTES = 16;

    private AnswerLayout() {}

    /** The whole message: error block and data. */
    static byte[] message(int id, int sequence, byte[] data, int maxPayloadBytes) {
        if (ERROR_BYTES + data.length > maxPayloadBytes) {
            return failure(id, sequence, KvmiError.ENOMEM);
        }
        ByteBuffer message = MessageHeader.start(id, ERROR_BYTES + data.length, sequence);
        message.put(MessageHeader.BYTES + ERROR_BYTES, data);
        return message.array();
    }

    static byte[] failure(int id, int sequence, KvmiError error) {
        return MessageHeader.start(id, ERROR_BYTES, sequence)
                .putInt(MessageHeader.BYTES, -error.number())
                .array();
    }

    /** The data of an answer other than {@link Answer.Failed}, {@link Answer.Version} and {@link Answer.GuestInfo}. */
    static byte[] data(Answer answer) {
        if (answer instanceof Answer.Done) {
            return new byte[0];
        } else if (answer instanceof Answer.Memory memory) {
            return memory.bytes();
        } else if (answer instanceof Answer.Registers registers) {
            return registers(registers);
        } else if (answer instanceof Answer.CpuidLeaf leaf) {
            ByteBuffer data = zeros(16);
            data.putInt(0, leaf.eax()).putInt(4, leaf.ebx()).putInt(8, leaf.ecx());
            return data.putInt(12, leaf.edx()).array();
        } else if (answer instanceof Answer.Xsave xsave) {
            return Arrays.copyOf(xsave.region(), XSAVE_BYTES);
        } else if (answer instanceof Answer.PageRights rights) {
            return rights.access();
        } else if (answer instanceof Answer.MapToken token) {
            return token.token();
        } else if (answer instanceof Answer.MtrrType type) {
            return zeros(8).put(0, (byte) type.type()).array();
        } else if (answer instanceof Answer.View view) {
            return zeros(8).putShort(0, (short) view.view()).array();
        } else if (answer instanceof Answer.Slot slot) {
            return zeros(16).putLong(0, slot.gfn()).putLong(8, slot.pages()).array();
        }
        return zeros(8).putLong(0, word(answer)).array();
    }

    /** The answers of one number. */
    private static long word(Answer answer) {
        if (answer instanceof Answer.VcpuInfo info) {
            return info.tscHz();
        } else if (answer instanceof Answer.Gfn gfn) {
            return gfn.gfn();
        } else if (answer instanceof Answer.Translation translation) {
            return translation.gpa();
        } else if (answer instanceof Answer.Xcr xcr) {
            return xcr.value();
        }
        throw new AssertionError("an answer without a layout: " + answer);
    }

    private static byte[] registers(Answer.Registers from) {
        List<Answer.Msr> msrs = from.msrs();
        ByteBuffer data = zeros(REGISTERS_BYTES + MSR_BYTES * msrs.size());
        data.putInt(0, from.modeBytes());
        RegisterLayout.putGeneral(data, GENERAL, from.general());
        RegisterLayout.putSystem(data, SYSTEM, from.system());
        data.putInt(MSR_COUNT, msrs.size());
        int at = REGISTERS_BYTES;
        for (Answer.Msr msr : msrs) {
            data.putInt(at, msr.index()).putLong(at + 8, msr.value());
            at += MSR_BYTES;
        }
        return data.array();
    }

    static ByteBuffer zeros(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }
}
