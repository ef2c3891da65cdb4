# Multiboot 1 entry into 32-bit protected mode, and the ways into and out of a case.
        .section .mb, "a"
        .align 4
        .long 0x1BADB002, 0x0, -(0x1BADB002 + 0x0)

        .section .text.boot, "ax"
        .code32
        .globl _start
_start: cli
        cld
        mov $stack_top, %esp
        call prepare
        lgdt gdt_pointer
        lidt idt_pointer
        ljmp $8, $1f
1:      call flat_segments
        call modes_main
2:      cli
        hlt
        jmp 2b

flat_segments:
        mov $0x10, %eax
        mov %eax, %ds
        mov %eax, %es
        mov %eax, %ss
        mov %eax, %fs
        mov %eax, %gs
        ret

        .text
# void enter(void): loads the frame of `words` words at `frame` by IRETD; leave() comes back behind the call.
        .globl enter
enter:
        push %ebx
        push %esi
        push %edi
        push %ebp
        mov %esp, kernel_esp
        mov frame_words, %ecx
        lea frame(, %ecx, 4), %esi
1:      sub $4, %esi
        pushl (%esi)
        loop 1b
        mov start_ds, %eax
        mov %eax, %ds
        mov %eax, %es
        mov $0x11111111, %eax
        mov $0x33333333, %ecx
        mov $0x80, %edx
        mov $0x44444444, %ebx
        mov $0x66666666, %esi
        mov $0x77777777, %edi
        mov $0x55555555, %ebp
        iretl

        .globl leave
leave:
        mov $0x10, %eax
        mov %eax, %ss
        mov kernel_esp, %esp
        call flat_segments
        pushl $2
        popfl
        pop %ebp
        pop %edi
        pop %esi
        pop %ebx
        ret

# Entries of tasks and gates, 16 bytes each: the vector on top of the error code, if there is one.
        .globl entries
        .balign 16
entries:
        .set i, 0
        .rept 0x68
        .balign 16
        .if !((i == 8) || ((i >= 10) && (i <= 14)) || (i == 17))
        pushl $0
        .endif
        pushl $i
        jmp arrived
        .set i, i + 1
        .endr

arrived:
        pushal
        pushl %gs
        pushl %fs
        pushl %es
        pushl %ds
        mov $0x10, %eax
        mov %eax, %ds
        mov %eax, %es
        cld
        mov %esp, arrived_at
        call record
        jmp leave

# What cases execute at CPL 0 or 3, and behind it a way back.
        .text
        .globl stubs
        .balign 16
stubs:
        ljmp $0x30, $0
        int $0x50
        .balign 16
        lcall $0x30, $0
        int $0x50
        .balign 16
        ljmp $0x40, $0
        int $0x50
        .balign 16
        lcall $0x40, $0
        int $0x50
        .balign 16
        int $0x60
        int $0x50
        .balign 16
        iretl
        int $0x50
        .balign 16

        .bss
        .align 16
        .skip 16384
stack_top:
