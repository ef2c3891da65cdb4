#!/bin/bash
# Builds ring0.elf (Multiboot 1, ELF32 container of 64-bit code), runs it on QEMU's TCG and records what it prints:
# 240 rounds in full (ring0.txt.gz), and digests of many more (ring0-digests.txt.gz).
# With a number: prints that case of the digests in full, as QEMU does it, and records nothing.
set -e
cd "$(dirname "$0")"
target=$PWD/../../resources/org/vmxsim/core/vectors
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rounds=3200

run() { # output, command line
  local status=0
  timeout 300 qemu-system-x86_64 -accel tcg -cpu max -m 64 -display none -monitor none -no-reboot -serial "file:$1" \
    -device isa-debug-exit,iobase=0xf4,iosize=4 -kernel "$target/ring0.elf" -append "$2" || status=$?
  [ $status = 1 ] && tail -n 1 "$1" | grep -q ^END || { echo "the run did not end well: $status" >&2; exit 1; }
}

if [ $# = 1 ]; then
  run "$work/shown.txt" "digests=$rounds show=$1"
  grep -a " : " "$work/shown.txt" | sed 's/^[0-9a-f ]* \([A-Z] cpl\)/\1/'
  exit
fi
flags="-std=gnu17 -O2 -ffreestanding -mgeneral-regs-only -mno-red-zone -fno-pic -no-pie -mcmodel=small
  -fno-stack-protector -fcf-protection=none -fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns
  -fno-ident -Wall -Wextra -Wno-sign-compare -Werror"
for source in support paging segments main; do
  gcc $flags -c $source.c -o "$work/$source.o"
done
gcc -c boot.S -o "$work/boot.o"
(cd "$work" && ld -nostdlib -no-pie -z noexecstack -z max-page-size=4096 --no-warn-rwx-segments --build-id=none \
  -T "$OLDPWD/ld.lds" -o ring0.elf64 boot.o support.o paging.o segments.o main.o)
mkdir -p "$target"
objcopy -O elf32-i386 "$work/ring0.elf64" "$target/ring0.elf"
run "$work/ring0.txt" ""
run "$work/ring0-digests.txt" "digests=$rounds"
gzip -9n "$work"/ring0*.txt
mv "$work"/ring0*.txt.gz "$target"
