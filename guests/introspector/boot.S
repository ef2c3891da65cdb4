# Multiboot 1 entry: 32-bit flat mode -> 64-bit mode, identity map of the first GiB in 2-MiB pages, except the 2 MiB
# with mailbox and window, which are mapped in 4-KiB pages. The last page of the window is not mapped. Interrupts off.
        .section .mb, "a"
        .align 4
        .long 0x1BADB002, 0x0, -(0x1BADB002 + 0x0)

        .section .text.boot, "ax"
        .code32
        .globl _start
_start: cli
        cld
        mov $stack_top, %esp
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
        # 512 small pages from 2 MiB on: present, writable
        mov $small_pages, %edi
        mov $0x200003, %eax
        mov $512, %ecx
2:      mov %eax, (%edi)
        movl $0, 4(%edi)
        add $0x1000, %eax
        add $8, %edi
        dec %ecx
        jnz 2b
        mov $window + 15 * 0x1000 - 0x200000, %eax
        shr $9, %eax
        movl $0, small_pages(%eax)
        movl $small_pages + 3, page_directory + 8
        movl $page_directory + 3, pdpt
        movl $pdpt + 3, pml4
        mov $pml4, %eax
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
        call introspector_main
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
        .irp n, 0,1,2,3,4,5,6,7,9,15,16,18,19,20,22,23,24,25,26,27,28,31
        EXCEPTION \n 0
        .endr
        .irp n, 8,10,11,12,13,14,17,21,29,30
        EXCEPTION \n 1
        .endr

# #UD at the VMCALL means that nobody above us takes hypercalls: RAX = -KVM_ENOSYS, go on after it.
exception_common:
        cmpq $6, (%rsp)
        jne 1f
        cmpq $vmcall_at, 16(%rsp)
        jne 1f
        mov $-1000, %rax
        addq $3, 16(%rsp)
        add $16, %rsp
        iretq
1:      mov %rsp, %rdi
        call introspector_exception
2:      hlt
        jmp 2b

# i64 hypercall(u64 number, u64 a0, u64 a1, u64 a2): KVM takes them in RAX, RBX, RCX, RDX.
        .globl hypercall, vmcall_at
        .type hypercall, @function
hypercall:
        push %rbx
        mov %rdi, %rax
        mov %rsi, %rbx
        xchg %rcx, %rdx
vmcall_at:
        vmcall
        pop %rbx
        ret
        .size hypercall, . - hypercall

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

        .bss
        .align 4096
        .globl pml4
pml4:   .skip 4096
pdpt:   .skip 4096
page_directory:
        .skip 4096
small_pages:
        .skip 4096
        .skip 16384
        .globl stack_top
stack_top:
