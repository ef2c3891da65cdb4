package org.vmxsim.kvmi.wire.codec;

import java.nio.ByteBuffer;
import org.vmxsim.kvmi.message.EventMsrs;
import org.vmxsim.kvmi.message.GeneralRegisters;
import org.vmxsim.kvmi.message.Segment;
import org.vmxsim.kvmi.message.SystemRegisters;
import org.vmxsim.kvmi.message.SystemRegisters.DescriptorTable;

/**
 * KVM's structures of registers, as both formats carry them. Source: "The Definitive KVM API Documentation",
 * KVM_GET_REGS and KVM_GET_SREGS.
 */
final class RegisterLayout {
    /** Size of {@code struct kvm_regs}. */
    static final int GENERAL_BYTES = 144;
    /** Size of {@code struct kvm_sregs}. */
    static final int SYSTEM_BYTES = 312;

    private static final int SEGMENT_BYTES = 24;
    private static final int DESCRIPTOR_TABLE_BYTES = 16;
    private static final int INTERRUPT_BITMAP = 280;

    private RegisterLayout() {}

    static void putGeneral(ByteBuffer to, int offset, GeneralRegisters from) {
        ByteBuffer at = to.duplicate().order(to.order()).position(offset);
        at.putLong(from.rax()).putLong(from.rbx()).putLong(from.rcx()).putLong(from.rdx());
        at.putLong(from.rsi()).putLong(from.rdi()).putLong(from.rsp()).putLong(from.rbp());
        at.putLong(from.r8()).putLong(from.r9()).putLong(from.r10()).putLong(from.r11());
        at.putLong(from.r12()).putLong(from.r13()).putLong(from.r14()).putLong(from.r15());
        at.putLong(from.rip()).putLong(from.rflags());
    }

    static GeneralRegisters general(Payload from, int offset) {
        long[] r = new long[GENERAL_BYTES / Long.BYTES];
        for (int i = 0; i < r.length; i++) {
            r[i] = from.u64(offset + i * Long.BYTES);
        }
        return new GeneralRegisters(
                r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7], r[8], r[9], r[10], r[11], r[12], r[13], r[14], r[15],
                r[16], r[17]);
    }

    static void putSystem(ByteBuffer to, int offset, SystemRegisters from) {
        Segment[] segments = {from.cs(), from.ds(), from.es(), from.fs(), from.gs(), from.ss(), from.tr(), from.ldt()};
        int at = offset;
        for (Segment segment : segments) {
            putSegment(to, at, segment);
            at += SEGMENT_BYTES;
        }
        putDescriptorTable(to, at, from.gdt());
        putDescriptorTable(to, at + DESCRIPTOR_TABLE_BYTES, from.idt());
        long[] words = {from.cr0(), from.cr2(), from.cr3(), from.cr4(), from.cr8(), from.efer(), from.apicBase()};
        at += 2 * DESCRIPTOR_TABLE_BYTES;
        for (long word : words) {
            to.putLong(at, word);
            at += Long.BYTES;
        }
        if (from.pendingInterrupt() != SystemRegisters.NO_INTERRUPT) {
            int word = offset + INTERRUPT_BITMAP + from.pendingInterrupt() / Long.SIZE * Long.BYTES;
            to.putLong(word, 1L << from.pendingInterrupt());
        }
    }

    private static void putSegment(ByteBuffer to, int offset, Segment from) {
        to.putLong(offset, from.base());
        to.putInt(offset + 8, from.limit());
        to.putShort(offset + 12, (short) from.selector());
        to.put(offset + 14, (byte) from.type());
        to.put(offset + 15, bit(from.present()));
        to.put(offset + 16, (byte) from.dpl());
        to.put(offset + 17, bit(from.db()));
        to.put(offset + 18, bit(from.codeOrData()));
        to.put(offset + 19, bit(from.longMode()));
        to.put(offset + 20, bit(from.granular()));
        to.put(offset + 21, bit(from.available()));
        to.put(offset + 22, bit(from.unusable()));
    }

    private static void putDescriptorTable(ByteBuffer to, int offset, DescriptorTable from) {
        to.putLong(offset, from.base());
        to.putShort(offset + 8, (short) from.limit());
    }

    static byte bit(boolean set) {
        return (byte) (set ? 1 : 0);
    }

    /** The eight MSRs that both formats have. */
    static void putMsrs(ByteBuffer to, int offset, EventMsrs msrs) {
        to.putLong(offset, msrs.sysenterCs());
        to.putLong(offset + 8, msrs.sysenterEsp());
        to.putLong(offset + 16, msrs.sysenterEip());
        to.putLong(offset + 24, msrs.efer());
        to.putLong(offset + 32, msrs.star());
        to.putLong(offset + 40, msrs.lstar());
        to.putLong(offset + 48, msrs.cstar());
        to.putLong(offset + 56, msrs.pat());
    }
}
