# Multiboot 1 entry: 32-bit flat mode -> 64-bit mode under page tables A. Interrupts stay off.
# Identity map of the first GiB: 4 MiB in 4-KiB pages, the rest in 2-MiB pages; accessed and dirty flags are set from the start.
# Entry 510 of every table maps nothing.
        .section .mb, "a"
        .align 4
        .long 0x1BADB002, 0x0, -(0x1BADB002 + 0x0)

        .section .text.boot, "ax"
        .code32
        .globl _start
_start: cli
        cld
        mov $stack_top, %esp
        mov %ebx, multiboot_address
        # 512 large pages: dirty, accessed, present, writable, page size
        mov $tables + 0x2000, %edi
        mov $0xe3, %eax
        mov $512, %ecx
1:      mov %eax, (%edi)
        add $0x200000, %eax
        add $8, %edi
        dec %ecx
        jnz 1b
        # 1024 small pages in two tables behind the page directory
        mov $0x63, %eax
        mov $1024, %ecx
2:      mov %eax, (%edi)
        add $0x1000, %eax
        add $8, %edi
        dec %ecx
        jnz 2b
        movl $tables + 0x1023, tables
        movl $tables + 0x2023, tables + 0x1000
        movl $tables + 0x3023, tables + 0x2000
        movl $tables + 0x4023, tables + 0x2008
        movl $0, tables + 0x2000 + 510 * 8
        movl $0, tables + 0x3000 + 510 * 8
        movl $0, tables + 0x4000 + 510 * 8
        mov $tables, %eax
        mov %eax, %cr3
        mov %cr4, %eax
        or $0x20, %eax                  # PAE
        mov %eax, %cr4
        mov $0xc0000080, %ecx
        rdmsr
        or $0x100, %eax                 # LME
        wrmsr
        mov %cr0, %eax
        and $0x9fffffff, %eax           # CD = NW = 0
        or $0x80010021, %eax            # PG, WP, NE, PE
        mov %eax, %cr0
        lgdt gdt_pointer
        ljmp $8, $3f
        .code64
3:      mov $16, %eax
        mov %eax, %ds
        mov %eax, %es
        mov %eax, %ss
        mov %eax, %fs
        mov %eax, %gs
        mov $stack_top, %rsp
        mov multiboot_address(%rip), %edi
        call watched_main
4:      cli
        hlt
        jmp 4b

# Exceptions 0..31: each stub leaves its vector on the stack, above it the error code if there is one.
        .text
        .macro EXCEPTION n
exception_\n:
        push $\n
        jmp exception_common
        .endm
        .irp n, 0,1,2,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
        EXCEPTION \n
        .endr

# #BP: counted.
exception_3:
        incq breakpoints
        iretq

# #UD at the VMCALL means that nobody above us takes hypercalls: RAX = -KVM_ENOSYS, go on after it.
exception_common:
        cmpq $6, (%rsp)
        jne 1f
        cmpq $vmcall_at, 8(%rsp)
        jne 1f
        mov $-1000, %rax
        addq $3, 8(%rsp)
        add $8, %rsp
        iretq
1:      mov %rsp, %rdi
        call watched_exception
2:      hlt
        jmp 2b

# void breakpoint(void)
        .globl breakpoint
        .type breakpoint, @function
breakpoint:
        int3
        ret
        .size breakpoint, . - breakpoint

# u64 hypercall(u64 number, u64 rdi, u64 rsi)
        .globl hypercall, vmcall_at
        .type hypercall, @function
hypercall:
        mov %rdi, %rax
        mov %rsi, %rdi
        mov %rdx, %rsi
vmcall_at:
        vmcall
        ret
        .size hypercall, . - hypercall

# u64 work(u64 instructions, u64 value): a loop of four instructions; whole loops, at least one
        .globl work
        .type work, @function
work:   mov %rsi, %rax
        shr $2, %rdi
        jz 2f
1:      rol $5, %rax
        add %rdi, %rax
        dec %rdi
        jnz 1b
2:      ret
        .size work, . - work

# void region_marker(u32 edge): CPUID leaf 0x4d584d56 with ECX = 1 (begin) or 2 (end)
        .globl region_marker
        .type region_marker, @function
region_marker:
        push %rbx
        mov %edi, %ecx
        mov $0x4d584d56, %eax
        cpuid
        pop %rbx
        ret
        .size region_marker, . - region_marker

# u64 called(u64 value): alone on its page
        .section .called, "ax"
        .globl called
        .type called, @function
called: lea 1(%rdi, %rdi, 2), %rax
        rol $11, %rax
        ret
        .size called, . - called

        .section .rodata
        .align 8
        .globl exception_table
exception_table:
        .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
        .quad exception_\n
        .endr

        .data
        .align 16
        .globl gdt
gdt:    .quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0, 0   # the last two: task state
gdt_pointer:
        .word . - gdt - 1
        .quad gdt
multiboot_address:
        .long 0

        .section .tables, "aw", @nobits
        .globl tables, behind
        .type tables, @object
        .type behind, @object
tables: .skip 10 * 4096
        .size tables, . - tables
behind: .skip 15 * 4096
        .size behind, . - behind

        .section .pages, "aw", @nobits
        .globl hooked, sub_pages
        .type hooked, @object
        .type sub_pages, @object
hooked: .skip 4 * 4096
        .size hooked, . - hooked
sub_pages:
        .skip 4096
        .size sub_pages, . - sub_pages

        .bss
        .globl breakpoints, task_state
breakpoints:
        .quad 0
        .align 16
task_state:
        .skip 104
        .align 16
        .skip 16384
stack_top:
