package org.vmxsim.vmx.fuzz;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.SplittableRandom;

/**
 * One MiB of guest-physical memory around a program in 64- or 32-bit mode: page tables, GDT, IDT, TSS, and handlers
 * that log vector, error code, CR2 and RIP of every exception and go on at the next slot of the program, so that a
 * program of any bytes goes on until its budget ends.
 *
 * <p>Linear addresses below 1 MiB are guest-physical; 2 MiB further, and 1 GiB further, lies the same memory, or what
 * EPT has there, in large pages; the last page table can be written through {@link #WINDOW}.
 */
final class GuestImage {
    static final int SIZE_BYTES = 1 << 20;
    static final int PML4 = 0x1000;
    static final int PDPT = 0x2000;
    static final int PD = 0x3000;
    static final int PT = 0x4000;
    private static final int WINDOW_PD = 0x6000;
    private static final int WINDOW_PT = 0x7000;
    static final int GDT = 0x1_0000;
    static final int IDT = 0x1_1000;
    static final int TSS = 0x1_2000;
    static final int STUBS = 0x1_3000;
    private static final int HANDLER = 0x1_5000;
    /** SYSCALL goes on at level 0 behind the instruction: JMP RCX. */
    static final int SYSCALL_ENTRY = 0x1_5800;

    static final int LOG_POINTER = 0x1_6000;
    private static final int KERNEL_STACK = 0x1_9000;
    private static final int INTERRUPT_STACK = 0x1_b000;
    private static final int LOG = 0x2_0000;
    private static final int LOG_BYTES = 0x1_0000;
    static final int CODE = 0x4_0000;
    static final int CODE_BYTES = 0x4000;
    /** The same for 32-bit modes. */
    static final int PD_32 = 0x5000;

    static final int PDPT_PAE = 0x5800;
    private static final int PT_32 = 0x8000;
    static final int IDT_32 = 0x1_c000;
    static final int TSS_32 = 0x1_c800;
    static final int STUBS_32 = 0x1_d000;
    private static final int HANDLER_32 = 0x1_e000;

    /** A program consists of slots of this size; an exception goes on at the next one. */
    static final int SLOT_BYTES = 32;

    static final int DATA = 0x5_0000;
    static final int DATA_PAGES = 16;
    /** Linear address of the last page table. */
    static final long WINDOW = 0x7f_ffff_f000L & ~0x1f_ffffL;

    /** Interrupt vector that makes the caller's level 0. */
    static final int TO_RING_0 = 0x81;

    static final int CODE_0 = 8;
    static final int DATA_0 = 0x10;
    static final int CODE_3_32 = 0x18 | 3;
    static final int DATA_3 = 0x20 | 3;
    static final int CODE_3 = 0x28 | 3;
    static final int TASK = 0x30;
    static final int CODE_0_32 = 0x40;

    /** Vectors of exceptions that push an error code. */
    private static final int ERROR_CODES = 1 << 8 | 0xf << 10 | 1 << 14 | 1 << 17 | 1 << 21;

    private final ByteBuffer memory = ByteBuffer.allocate(SIZE_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    /** Distance of the first slot from {@link #CODE}. */
    final int slotOffset;

    private GuestImage(int slotOffset) {
        this.slotOffset = slotOffset;
    }

    /** Everything but the program. */
    static GuestImage of(SplittableRandom random) {
        GuestImage image = new GuestImage(random.nextInt(SLOT_BYTES));
        image.descriptors();
        image.gates();
        image.handler();
        image.gates32();
        image.handler32();
        image.pageTables(random);
        for (int at = DATA; at < DATA + DATA_PAGES * 0x1000; at += 8) {
            image.memory.putLong(at, random.nextLong() >>> random.nextInt(64));
        }
        return image;
    }

    byte[] bytes() {
        return memory.array();
    }

    GuestImage put(int gpa, byte[] bytes) {
        memory.put(gpa, bytes);
        return this;
    }

    GuestImage putLong(int gpa, long value) {
        memory.putLong(gpa, value);
        return this;
    }

    /** Puts a slot of the program. */
    GuestImage slot(int number, byte[] code) {
        int at = CODE + slotOffset + number * SLOT_BYTES;
        for (int i = 0; i < SLOT_BYTES; i++) {
            memory.put(at + i, i < code.length ? code[i] : (byte) 0x90);
        }
        return this;
    }

    /** Takes away every RDTSC, RDTSCP and RDPMC that the random bytes hold: time differs between the engines. */
    GuestImage withoutTime() {
        for (int at = CODE; at < DATA + DATA_PAGES * 0x1000 - 2; at++) {
            int word = memory.getShort(at) & 0xffff;
            boolean rdtscp = word == 0x010f && memory.get(at + 2) == (byte) 0xf9;
            if (word == 0x310f || word == 0x330f || rdtscp) {
                memory.put(at, (byte) 0x90);
            }
        }
        return this;
    }

    private void descriptors() {
        memory.putLong(GDT + CODE_0, 0x00af_9b00_0000_ffffL);
        memory.putLong(GDT + DATA_0, 0x00cf_9300_0000_ffffL);
        memory.putLong(GDT + (CODE_3_32 & ~3), 0x00cf_fb00_0000_ffffL);
        memory.putLong(GDT + (DATA_3 & ~3), 0x00cf_f300_0000_ffffL);
        memory.putLong(GDT + (CODE_3 & ~3), 0x00af_fb00_0000_ffffL);
        memory.putLong(GDT + TASK, 0x0000_8b00_0000_0067L | (TSS & 0xffffL) << 16 | (long) (TSS >> 16) << 32);
        memory.putLong(GDT + CODE_0_32, 0x00cf_9b00_0000_ffffL);
        memory.putLong(TSS + 4, KERNEL_STACK);
        memory.putLong(TSS + 36, INTERRUPT_STACK);
    }

    private void gates32() {
        for (int vector = 0; vector < 256; vector++) {
            CodeBytes stub = new CodeBytes();
            if (vector >= 32 || (ERROR_CODES >>> vector & 1) == 0) {
                stub.put(0x6a, 0);
            }
            stub.put(0x68).imm32(vector).put(0xe9);
            int at = STUBS_32 + vector * 16;
            put(at, stub.imm32(HANDLER_32 - (at + stub.size() + 4)).toArray());
            int type = (vector & 4) == 0 ? 0xee : 0xef;
            memory.putLong(
                    IDT_32 + vector * 8, at & 0xffff | CODE_0_32 << 16 | (long) type << 40 | (long) (at >>> 16) << 48);
        }
        memory.putInt(TSS_32 + 4, KERNEL_STACK);
        memory.putInt(TSS_32 + 8, DATA_0);
        memory.putInt(PD_32, PT_32 | 7);
        for (int i = 0; i < 4; i++) {
            memory.putLong(PDPT_PAE + i * 8, i == 0 ? PD | 1 : 0);
        }
    }

    private void handler32() {
        CodeBytes code = new CodeBytes();
        code.put(0x50, 0x53, 0x1e, 0x16, 0x1f); // push eax; push ebx; push ds; push ss; pop ds
        code.put(0x8b, 0x1d).imm32(LOG_POINTER); // mov ebx, [LOG_POINTER]
        for (int i = 0; i < 2; i++) { // vector, error code
            code.put(0x8b, 0x44, 0x24, 12 + 4 * i).put(0x89, 0x43, 8 * i);
        }
        code.put(0x0f, 0x20, 0xd0).put(0x89, 0x43, 16); // mov eax, cr2; mov [ebx + 16], eax
        code.put(0x8b, 0x44, 0x24, 20).put(0x89, 0x43, 24); // EIP
        code.put(0x83, 0xc3, 32); // add ebx, 32
        code.put(0x81, 0xe3).imm32(LOG_BYTES - 1).put(0x81, 0xcb).imm32(LOG); // and, or ebx: stay in the log
        code.put(0x89, 0x1d).imm32(LOG_POINTER);
        skipUnlessFault(code.put(0x8a, 0x5c, 0x24, 12), 23); // mov bl, [esp + 12]
        code.put(0x83, 0xe8, slotOffset, 0x83, 0xc8, SLOT_BYTES - 1, 0x83, 0xc0, slotOffset + 1);
        code.put(0x25).imm32(CODE_BYTES - 1).put(0x0d).imm32(CODE);
        code.put(0x89, 0x44, 0x24, 20); // mov [esp + 20], eax
        code.put(0x1f, 0x5b, 0x58, 0x83, 0xc4, 8, 0xcf); // pop ds; pop ebx; pop eax; add esp, 8; iret
        put(HANDLER_32, code.toArray());
    }

    private void gates() {
        for (int vector = 0; vector < 256; vector++) {
            CodeBytes stub = new CodeBytes();
            if (vector >= 32 || (ERROR_CODES >>> vector & 1) == 0) {
                stub.put(0x6a, 0);
            }
            stub.put(0x68).imm32(vector).put(0xe9);
            int at = STUBS + vector * 16;
            stub.imm32(HANDLER - (at + stub.size() + 4));
            if (vector == TO_RING_0) {
                // mov rcx, [rsp]; mov rsp, [rsp + 24]; jmp rcx
                stub = new CodeBytes().put(0x48, 0x8b, 0x0c, 0x24, 0x48, 0x8b, 0x64, 0x24, 0x18, 0xff, 0xe1);
            }
            put(at, stub.toArray());
            int type = (vector & 4) == 0 ? 0xee : 0xef;
            // what comes between a change of page tables and its INVLPG must not use what has changed
            int interruptStack = vector == 1 || (vector & 1) == 0 ? 1 : 0;
            long low = at & 0xffff | CODE_0 << 16 | (long) type << 40 | (long) interruptStack << 32;
            memory.putLong(IDT + vector * 16, low | (long) (at >>> 16) << 48);
        }
    }

    /** Debug traps, NMIs and interrupts go on where they were: jumps over the next bytes unless BL says otherwise. */
    private static void skipUnlessFault(CodeBytes code, int bytes) {
        code.put(0x80, 0xfb, 32, 0x73, bytes + 7); // cmp bl, 32; jae
        code.put(0xfe, 0xcb, 0x80, 0xfb, 1, 0x76, bytes); // dec bl; cmp bl, 1; jbe
    }

    private void handler() {
        CodeBytes code = new CodeBytes();
        code.put(0x50, 0x53); // push rax; push rbx
        code.put(0x48, 0x8b, 0x1c, 0x25).imm32(LOG_POINTER); // mov rbx, [LOG_POINTER]
        for (int i = 0; i < 2; i++) { // vector, error code
            code.put(0x48, 0x8b, 0x44, 0x24, 16 + 8 * i).put(0x48, 0x89, 0x43, 8 * i);
        }
        code.put(0x0f, 0x20, 0xd0).put(0x48, 0x89, 0x43, 16); // mov rax, cr2; mov [rbx + 16], rax
        code.put(0x48, 0x8b, 0x44, 0x24, 32).put(0x48, 0x89, 0x43, 24); // RIP
        code.put(0x48, 0x83, 0xc3, 32); // add rbx, 32
        code.put(0x81, 0xe3).imm32(LOG_BYTES - 1).put(0x81, 0xcb).imm32(LOG); // and, or ebx: stay in the log
        code.put(0x48, 0x89, 0x1c, 0x25).imm32(LOG_POINTER);
        skipUnlessFault(code.put(0x8a, 0x5c, 0x24, 16), 27); // mov bl, [rsp + 16]
        code.put(0x48, 0x83, 0xe8, slotOffset, 0x48, 0x83, 0xc8, SLOT_BYTES - 1); // sub rax, slotOffset; or rax, 31
        code.put(0x48, 0x83, 0xc0, slotOffset + 1); // add rax, slotOffset + 1
        code.put(0x25).imm32(CODE_BYTES - 1).put(0x0d).imm32(CODE); // and, or eax: stay in the program
        code.put(0x48, 0x89, 0x44, 0x24, 32); // mov [rsp + 32], rax
        code.put(0x5b, 0x58, 0x48, 0x83, 0xc4, 16, 0x48, 0xcf); // pop rbx; pop rax; add rsp, 16; iretq
        put(HANDLER, code.toArray());
        memory.putLong(LOG_POINTER, LOG);
        put(SYSCALL_ENTRY, new CodeBytes().put(0xff, 0xe1).toArray());
    }

    private void pageTables(SplittableRandom random) {
        memory.putLong(PML4, PDPT | 7);
        memory.putLong(PDPT, PD | 7);
        memory.putLong(PDPT + 8, 0x87 | random.nextInt(2) << 8);
        memory.putLong(PD, PT | 7);
        memory.putLong(PD + 8, 0x87 | random.nextInt(2) << 8 | random.nextInt(2) << 21);
        for (int page = 0; page < SIZE_BYTES >> 12; page++) {
            boolean tables = page << 12 < GDT;
            boolean user = page << 12 >= CODE;
            int flags = tables ? 0 : user ? 7 : 3;
            memory.putLong(PT + page * 8, (long) page << 12 | flags | random.nextInt(2) << 8);
            memory.putInt(PT_32 + page * 4, page << 12 | flags);
        }
        // pages of data without rights
        memory.putLong(PT + (DATA >> 12) * 8 + 8 * 12, DATA + 0xc000L | 5);
        memory.putLong(PT + (DATA >> 12) * 8 + 8 * 13, DATA + 0xd000L | 3);
        memory.putLong(PT + (DATA >> 12) * 8 + 8 * 14, 0);
        memory.putLong(PT + (DATA >> 12) * 8 + 8 * 15, DATA + 0xf000L | 7 | Long.MIN_VALUE);
        memory.putLong(PDPT + (int) (WINDOW >>> 30 & 511) * 8, WINDOW_PD | 3);
        memory.putLong(WINDOW_PD + (int) (WINDOW >>> 21 & 511) * 8, WINDOW_PT | 3);
        memory.putLong(WINDOW_PT, PT | 3);
    }
}
