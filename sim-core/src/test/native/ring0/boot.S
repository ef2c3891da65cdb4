# Multiboot 1 entry into 64-bit mode. The first GiB is mapped twice: at 0 for the supervisor, at 1 GiB for the user.
        .set USER_ALIAS, 0x40000000
        .section .mb, "a"
        .align 4
        .long 0x1BADB002, 0x0, -(0x1BADB002 + 0x0)

        .section .text.boot, "ax"
        .code32
        .globl _start
_start: cli
        cld
        mov %ebx, %esi                  # multiboot information
        mov $stack_top, %esp
        mov $supervisor_directory, %edi
        mov $0x83, %eax                 # present, writable, page size
        mov $512, %ecx
1:      mov %eax, (%edi)
        movl $0, 4(%edi)
        mov %eax, %edx
        or $0x4, %edx                   # user
        mov %edx, user_directory - supervisor_directory(%edi)
        movl $0, user_directory - supervisor_directory + 4(%edi)
        add $0x200000, %eax
        add $8, %edi
        dec %ecx
        jnz 1b
        movl $supervisor_directory + 3, pdpt
        movl $user_directory + 7, pdpt + 8
        movl $pdpt + 7, pml4
        mov $pml4, %eax
        mov %eax, %cr3
        mov %cr4, %eax
        or $0x20, %eax                  # PAE
        mov %eax, %cr4
        mov $0xc0000080, %ecx
        rdmsr
        or $0x900, %eax                 # LME, NXE
        wrmsr
        mov %cr0, %eax
        and $0x9ffbffff, %eax           # CD = NW = AM = 0
        or $0x80010021, %eax            # PG, WP, NE, PE
        mov %eax, %cr0
        lgdt gdt_pointer
        ljmp $8, $2f
        .code64
2:      mov $16, %eax
        mov %eax, %ds
        mov %eax, %es
        mov %eax, %ss
        mov %eax, %fs
        mov %eax, %gs
        mov $stack_top, %rsp
        mov %esi, %edi
        call ring0_main
3:      cli
        hlt
        jmp 3b

        .text
# void enter_case(void): loads the state in `entry` by IRETQ; comes back when something arrives at record_vector.
        .globl enter_case
enter_case:
        push %rbx
        push %rbp
        push %r12
        push %r13
        push %r14
        push %r15
        mov %rsp, kernel_rsp
        push entry + 0                  # SS
        push entry + 8                  # RSP
        push entry + 16                 # RFLAGS
        push entry + 24                 # CS
        push entry + 32                 # RIP
        mov entry + 40, %eax
        mov %eax, %ds
        mov %eax, %es
        mov %eax, %fs
        mov %eax, %gs
        mov entry + 48, %rax
        mov entry + 56, %rcx
        mov entry + 64, %rdx
        mov entry + 72, %rdi
        iretq

# Vectors 0..0x5f come here, with the vector and the error code (0 if none) on the stack.
        .align 16
        .globl vector_stubs
vector_stubs:
        .set n, 0
        .rept 0x60
        .align 16
        .if (n == 8) || (n >= 10 && n <= 14) || (n == 17) || (n == 21)
        .else
        push $0
        .endif
        push $n
        jmp record_vector
        .set n, n + 1
        .endr

record_vector:
        mov %rax, seen + 56
        pushfq
        pop seen + 88
        pop seen + 0                    # vector
        pop seen + 8                    # error code
        mov %rsp, seen + 80
        pop seen + 16                   # RIP
        pop seen + 24                   # CS
        pop seen + 32                   # RFLAGS
        pop seen + 40                   # RSP
        pop seen + 48                   # SS
        mov %cr2, %rax
        mov %rax, seen + 64
        mov %ds, %eax
        mov %ax, seen + 72
        mov %es, %eax
        mov %ax, seen + 74
        mov %fs, %eax
        mov %ax, seen + 76
        mov %gs, %eax
        mov %ax, seen + 78
        mov %cs, %eax
        mov %eax, seen + 96
        mov $16, %eax
        mov %eax, %ds
        mov %eax, %es
        mov %eax, %ss
        mov kernel_rsp, %rsp
        push $2
        popfq
        pop %r15
        pop %r14
        pop %r13
        pop %r12
        pop %rbp
        pop %rbx
        ret

# ---- snippets: RDI is an address, RAX and RCX values; INT 0x41 says that all went well
        .macro SNIPPET name, text
        .align 16
        .globl \name
\name:  \text
        int $0x41
        .endm
        .align 16
        .globl page_snippets
page_snippets:                          # 16 bytes each: read 1 2 4 8, write 1 2 4 8, fetch
        SNIPPET read1, "mov (%rdi), %al"
        SNIPPET read2, "mov (%rdi), %ax"
        SNIPPET read4, "mov (%rdi), %eax"
        SNIPPET read8, "mov (%rdi), %rax"
        SNIPPET write1, "mov %al, (%rdi)"
        SNIPPET write2, "mov %ax, (%rdi)"
        SNIPPET write4, "mov %eax, (%rdi)"
        SNIPPET write8, "mov %rax, (%rdi)"
        SNIPPET fetch, "jmp *%rdi"
        .align 16
        .globl segment_snippets
segment_snippets:                       # the selector is in AX
        SNIPPET load_es, "mov %eax, %es"
        SNIPPET load_ds, "mov %eax, %ds"
        SNIPPET load_fs, "mov %eax, %fs"
        SNIPPET load_gs, "mov %eax, %gs"
        SNIPPET load_ss, "mov %eax, %ss"
        SNIPPET test_verr, "verr %ax; pushfq; pop %rax"
        SNIPPET test_verw, "verw %ax; pushfq; pop %rax"
        SNIPPET test_lar, "lar %ax, %eax"
        SNIPPET test_lsl, "lsl %ax, %eax"
        .align 16
        .globl task_snippets
task_snippets:
        SNIPPET load_tr, "ltr %ax"
        SNIPPET load_ldt, "lldt %ax"
        .align 16
        .globl transfer_snippets
transfer_snippets:
        SNIPPET do_iretq, "iretq"
        SNIPPET do_lretq, "lretq"
        SNIPPET do_lretq_imm, "lretq $16"
        SNIPPET do_ljmp, "ljmp *(%rdi)"
        SNIPPET do_lcall, "lcall *(%rdi)"
        SNIPPET do_iretd, "iretl"
        SNIPPET do_lretd, "lretl"
        .align 16
        .globl soft_interrupt
soft_interrupt: int $0x50
        .align 16
        .globl landing
landing: int3
        .align 16
        .globl privilege_snippets, privilege_snippets_end
privilege_snippets:
        SNIPPET p_cli, "cli"
        SNIPPET p_sti, "sti"
        SNIPPET p_in8, "inb $0x80, %al"
        SNIPPET p_out8, "outb %al, $0x80"
        SNIPPET p_in_dx, "mov $0x84, %edx; inl %dx, %eax"
        SNIPPET p_popf, "push %rax; popfq; pushfq; pop %rax"
        SNIPPET p_pushf, "pushfq; pop %rax"
        SNIPPET p_clts, "clts"
        SNIPPET p_invlpg, "invlpg (%rdi)"
        SNIPPET p_read_cr0, "mov %cr0, %rax"
        SNIPPET p_read_cr2, "mov %cr2, %rax"
        SNIPPET p_write_cr2, "mov %rdi, %cr2"
        SNIPPET p_read_cr8, "mov %cr8, %rax"
        SNIPPET p_read_dr7, "mov %dr7, %rax"
        SNIPPET p_write_dr0, "mov %rdi, %dr0"
        SNIPPET p_rdmsr, "mov $0xc0000101, %ecx; rdmsr"
        SNIPPET p_wrmsr, "mov $0xc0000102, %ecx; wrmsr"
        SNIPPET p_sgdt, "sgdt -32(%rsp); movzwl -32(%rsp), %eax"
        SNIPPET p_sidt, "sidt -32(%rsp); movzwl -32(%rsp), %eax"
        SNIPPET p_sldt, "sldt %eax"
        SNIPPET p_str, "str %eax"
        SNIPPET p_smsw, "smsw %ax"
        SNIPPET p_rdtsc, "rdtsc; xor %eax, %eax"
        SNIPPET p_swapgs, "swapgs; swapgs"
        SNIPPET p_int3, "int3"
        SNIPPET p_ud2, "ud2"
        SNIPPET p_div, "xor %ecx, %ecx; div %ecx"
        SNIPPET p_wbinvd, "wbinvd"
        SNIPPET p_noncanonical_read, "mov (%rcx), %rax"
        SNIPPET p_noncanonical_write, "mov %rax, (%rcx)"
        SNIPPET p_int, "int $0x20"
privilege_snippets_end:
        .align 16
        .globl step_snippet
step_snippet:                           # entered with TF
        nop
        nop
        nop
        int $0x41

        .data
        .align 16
        .globl gdt
gdt:    .quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff     # 0x08 code, 0x10 data
        .quad 0x00cff3000000ffff, 0x00affb000000ffff        # 0x18 user data, 0x20 user code
        .quad 0, 0, 0, 0                                    # 0x28 TSS, 0x38 LDT
        .skip 8 * (32 - 9)
        .globl gdt_pointer, idt_pointer
gdt_pointer:
        .word 32 * 8 - 1
        .quad gdt
idt_pointer:
        .word 0x60 * 16 - 1
        .quad idt

        .bss
        .align 4096
        .globl pml4
pml4:   .skip 4096
pdpt:   .skip 4096
supervisor_directory:
        .skip 4096
user_directory:
        .skip 4096
        .globl idt, entry, seen, kernel_rsp
idt:    .skip 4096
entry:  .skip 128
seen:   .skip 128
kernel_rsp:
        .skip 8
        .align 4096
        .skip 16384
        .globl stack_top
stack_top:
