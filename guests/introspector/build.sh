#!/bin/bash
# Builds introspector.elf (ELF32 container of 64-bit code, Multiboot 1, with symbols) with gcc and binutils,
# and puts it where sim-lab finds it as a resource. With an argument: writes there instead.
# The console is that of the key-value guest.
set -e
cd "$(dirname "$0")"
target=${1:-../../sim-lab/src/main/resources/org/vmxsim/lab/guests/introspector.elf}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
flags="-std=gnu17 -O2 -ffreestanding -mgeneral-regs-only -mno-red-zone -fno-pic -no-pie -mcmodel=small
  -fno-stack-protector -fcf-protection=none -fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns
  -fno-ipa-sra -fno-ipa-cp -fno-ident -Wall -Wextra -Wno-sign-compare -Werror"
gcc $flags -c ../kvserver/console.c -o "$work/console.o"
for source in main mapper; do
  gcc $flags -c $source.c -o "$work/$source.o"
done
gcc -c boot.S -o "$work/boot.o"
(cd "$work" && ld -nostdlib -no-pie -z noexecstack -z max-page-size=4096 --no-warn-rwx-segments --build-id=none \
  -T "$OLDPWD/ld.lds" -o introspector.elf64 boot.o console.o mapper.o main.o)
mkdir -p "$(dirname "$target")"
objcopy -O elf32-i386 "$work/introspector.elf64" "$target"
