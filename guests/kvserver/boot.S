# Multiboot 1 entry: 32-bit flat mode -> 64-bit mode, identity map of the first GiB in 2-MiB pages,
# except the 4 MiB of the heap, which are mapped in 4-KiB pages. Interrupts stay off.
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
        # 512 large pages: present, writable, page size
        mov $page_directory, %edi
        mov $0x83, %eax
        mov $512, %ecx
1:      mov %eax, (%edi)
        movl $0, 4(%edi)
        add $0x200000, %eax
        add $8, %edi
        dec %ecx
        jnz 1b
        # 1024 small pages for the heap: present, writable, execute-disable
        mov $heap_page_tables, %edi
        mov $kv_heap, %eax
        or $0x3, %eax
        mov $1024, %ecx
2:      mov %eax, (%edi)
        movl $0x80000000, 4(%edi)
        add $0x1000, %eax
        add $8, %edi
        dec %ecx
        jnz 2b
        mov $kv_heap, %ebx
        shr $21, %ebx
        movl $heap_page_tables + 0x0003, page_directory(, %ebx, 8)
        movl $heap_page_tables + 0x1003, page_directory + 8(, %ebx, 8)
        movl $page_directory + 3, pdpt
        movl $pdpt + 3, pml4
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
        call kv_main
4:      cli
        hlt
        jmp 4b

# Exceptions 0..31. Each stub leaves vector and error code on the stack.
        .text
        .macro EXCEPTION n has_error
exception_\n:
        .if \has_error == 0
        push $0
        .endif
        push $\n
        jmp exception_common
        .endm
        .irp n, 0,1,2,3,4,5,6,7
        EXCEPTION \n 0
        .endr
        EXCEPTION 8 1
        EXCEPTION 9 0
        .irp n, 10,11,12,13,14
        EXCEPTION \n 1
        .endr
        .irp n, 15,16
        EXCEPTION \n 0
        .endr
        EXCEPTION 17 1
        .irp n, 18,19,20
        EXCEPTION \n 0
        .endr
        EXCEPTION 21 1
        .irp n, 22,23,24,25,26,27,28
        EXCEPTION \n 0
        .endr
        .irp n, 29,30
        EXCEPTION \n 1
        .endr
        EXCEPTION 31 0

# #UD at guard_vmcall means that nobody above us takes hypercalls: RAX = -KVM_ENOSYS, go on after it.
        .globl exception_common
exception_common:
        cmpq $6, (%rsp)
        jne 1f
        cmpq $guard_vmcall, 16(%rsp)
        jne 1f
        mov $-1000, %rax
        addq $3, 16(%rsp)
        add $16, %rsp
        iretq
# #PF at buffer_store is what a guard page is for: counted, and the store is left out.
1:      cmpq $14, (%rsp)
        jne 2f
        cmpq $buffer_store, 16(%rsp)
        jne 2f
        push %rax
        mov %cr2, %rax
        mov %rax, buffer_fault_address
        pop %rax
        incq buffer_faults
        addq $3, 16(%rsp)
        add $16, %rsp
        iretq
2:      mov %rsp, %rdi
        call kv_exception
3:      hlt
        jmp 3b

# void buffer_store(u8 *to, u8 value)
        .globl buffer_store
        .type buffer_store, @function
buffer_store:
        mov %sil, (%rdi)
        ret
        .size buffer_store, . - buffer_store

# i64 guard_hypercall(u64 function, u64 address, u64 operand): arguments are already in RDI, RSI, RDX.
        .globl guard_hypercall, guard_vmcall
        .type guard_hypercall, @function
guard_hypercall:
        mov $0x53505031, %eax           # "SPP1"
guard_vmcall:
        vmcall
        ret
        .size guard_hypercall, . - guard_hypercall

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

        .section .rodata
        .align 8
        .globl exception_table
exception_table:
        .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
        .quad exception_\n
        .endr

        .data
        .align 16
gdt:    .quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff
gdt_pointer:
        .word . - gdt - 1
        .quad gdt
multiboot_address:
        .long 0

        .bss
        .globl buffer_faults, buffer_fault_address
buffer_faults:
        .quad 0
buffer_fault_address:
        .quad 0
        .align 4096
        .globl pml4
pml4:   .skip 4096
pdpt:   .skip 4096
page_directory:
        .skip 4096
heap_page_tables:
        .skip 8192
        .skip 32768
        .globl stack_top
stack_top:
