package org.vmxsim.kvmi.wire.codec;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.vmxsim.kvmi.message.EventMsrs;
import org.vmxsim.kvmi.message.GeneralRegisters;
import org.vmxsim.kvmi.message.Segment;
import org.vmxsim.kvmi.message.SystemRegisters;
import org.vmxsim.kvmi.message.SystemRegisters.DescriptorTable;
import org.vmxsim.kvmi.wire.Bytes;

/** A message's payload and what it means, both written down here. */
record Sample(int id, Bytes payload, Object meaning) {
    byte[] message(int sequence) {
        return Bytes.message(id, sequence, payload.array());
    }

    /** struct kvm_regs, 144 bytes: rax rbx rcx rdx rsi rdi rsp rbp r8 ... r15 rip rflags. */
    static Bytes put(Bytes to, GeneralRegisters r) {
        to.u64(r.rax()).u64(r.rbx()).u64(r.rcx()).u64(r.rdx()).u64(r.rsi()).u64(r.rdi());
        to.u64(r.rsp()).u64(r.rbp()).u64(r.r8()).u64(r.r9()).u64(r.r10()).u64(r.r11());
        to.u64(r.r12()).u64(r.r13()).u64(r.r14()).u64(r.r15());
        return to.u64(r.rip()).u64(r.rflags());
    }

    /** struct kvm_sregs, 312 bytes. */
    static Bytes put(Bytes to, SystemRegisters s) {
        Stream.of(s.cs(), s.ds(), s.es(), s.fs(), s.gs(), s.ss(), s.tr(), s.ldt())
                .forEach(segment -> put(to, segment));
        Stream.of(s.gdt(), s.idt())
                .forEach(table -> to.u64(table.base()).u16(table.limit()).zeros(6));
        to.u64(s.cr0()).u64(s.cr2()).u64(s.cr3()).u64(s.cr4()).u64(s.cr8());
        to.u64(s.efer()).u64(s.apicBase());
        for (int vector = 0; vector < 256; vector += 8) {
            int bit = s.pendingInterrupt() - vector;
            to.u8(bit >= 0 && bit < 8 ? 1 << bit : 0);
        }
        return to;
    }

    private static void put(Bytes to, Segment s) {
        to.u64(s.base()).u32(s.limit()).u16(s.selector()).u8(s.type()).u8(s.present() ? 1 : 0);
        to.u8(s.dpl()).u8(s.db() ? 1 : 0).u8(s.codeOrData() ? 1 : 0).u8(s.longMode() ? 1 : 0);
        to.u8(s.granular() ? 1 : 0)
                .u8(s.available() ? 1 : 0)
                .u8(s.unusable() ? 1 : 0)
                .u8(0);
    }

    static GeneralRegisters general(Random r) {
        long[] q = r.longs(18).toArray();
        return new GeneralRegisters(
                q[0], q[1], q[2], q[3], q[4], q[5], q[6], q[7], q[8], q[9], q[10], q[11], q[12], q[13], q[14], q[15],
                q[16], q[17]);
    }

    static SystemRegisters system(Random r) {
        Supplier<Segment> s = () -> new Segment(
                r.nextLong(),
                r.nextInt(),
                r.nextInt(65536),
                r.nextInt(16),
                r.nextBoolean(),
                r.nextInt(4),
                r.nextBoolean(),
                r.nextBoolean(),
                r.nextBoolean(),
                r.nextBoolean(),
                r.nextBoolean(),
                r.nextBoolean());
        Supplier<DescriptorTable> d = () -> new DescriptorTable(r.nextLong(), r.nextInt(65536));
        long[] q = r.longs(7).toArray();
        int interrupt = r.nextInt(257) - 1;
        return new SystemRegisters(
                s.get(), s.get(), s.get(), s.get(), s.get(), s.get(), s.get(), s.get(), d.get(), d.get(), q[0], q[1],
                q[2], q[3], q[4], q[5], q[6], interrupt);
    }

    static EventMsrs msrs(Random r) {
        long[] q = r.longs(9).toArray();
        return new EventMsrs(q[0], q[1], q[2], q[3], q[4], q[5], q[6], q[7], q[8]);
    }

    /** As many as fit comfortably, often none. */
    static <T> List<T> some(Random r, Supplier<T> one) {
        int count = r.nextInt(3) == 0 ? 0 : 1 + r.nextInt(40);
        return new ArrayList<>(
                IntStream.range(0, count).mapToObj(i -> one.get()).toList());
    }

    static byte[] bytes(Random r, int most) {
        byte[] bytes = new byte[r.nextInt(most + 1)];
        r.nextBytes(bytes);
        return bytes;
    }
}
