#!/bin/bash
# Builds modes.elf (Multiboot 1, 32-bit code), runs it on QEMU's TCG and records what it prints.
set -e
cd "$(dirname "$0")"
target=$PWD/../../resources/org/vmxsim/core/vectors
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
gcc -m32 -march=i686 -std=gnu17 -O1 -ffreestanding -mgeneral-regs-only -fno-pic -no-pie -fno-stack-protector -fcf-protection=none \
  -fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns -fno-ident -Wall -Wextra -Wno-array-bounds -Wno-sign-compare -Werror \
  -c modes.c -o "$work/modes.o"
gcc -m32 -c boot.S -o "$work/boot.o"
ld -m elf_i386 -nostdlib -no-pie -z noexecstack --no-warn-rwx-segments --build-id=none -T ld.lds -o "$target/modes.elf" \
  "$work/boot.o" "$work/modes.o"
strip "$target/modes.elf"
status=0
timeout 100 qemu-system-x86_64 -accel tcg -cpu max -m 64 -display none -monitor none -no-reboot -serial "file:$work/modes.txt" \
  -device isa-debug-exit,iobase=0xf4,iosize=4 -kernel "$target/modes.elf" || status=$?
[ $status = 1 ] && [ "$(tail -n 1 "$work/modes.txt")" = END ] || { echo "the run did not end well: $status" >&2; exit 1; }
gzip -9n "$work/modes.txt"
mv "$work/modes.txt.gz" "$target"
