#!/bin/bash
# Builds kvserver.elf (ELF32 container of 64-bit code, Multiboot 1, with symbols) with gcc and binutils,
# and puts it where sim-lab finds it as a resource. With an argument: writes there instead.
set -e
cd "$(dirname "$0")"
target=${1:-../../sim-lab/src/main/resources/org/vmxsim/lab/guests/kvserver.elf}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
flags="-std=gnu17 -O2 -ffreestanding -mgeneral-regs-only -mno-red-zone -fno-pic -no-pie -mcmodel=small
  -fno-stack-protector -fcf-protection=none -fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns
  -fno-ipa-sra -fno-ipa-cp -fno-ident -Wall -Wextra -Wno-sign-compare -Werror"
for source in console guard heap objects store main buffers costs; do
  gcc $flags -c $source.c -o "$work/$source.o"
done
gcc -c boot.S -o "$work/boot.o"
(cd "$work" && ld -nostdlib -no-pie -z noexecstack -z max-page-size=4096 --no-warn-rwx-segments --build-id=none \
  -T "$OLDPWD/ld.lds" -o kvserver.elf64 boot.o console.o guard.o heap.o objects.o store.o main.o buffers.o costs.o)
mkdir -p "$(dirname "$target")"
objcopy -O elf32-i386 "$work/kvserver.elf64" "$target"
