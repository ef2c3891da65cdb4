#!/bin/bash
# Generates the vectors, runs them on this machine's processor and writes them as test resources. 64-bit Linux, gcc.
# Needs a processor with BMI1, BMI2, ADX, MOVBE, LZCNT, POPCNT and CMPXCHG16B.
set -e
cd "$(dirname "$0")"
target=$PWD/../../resources/org/vmxsim/core/vectors
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for feature in bmi1 bmi2 adx movbe abm popcnt cx16 sse4_2 fsgsbase rdpid rdrand rdseed rdtscp clflushopt clwb; do
  grep -qw $feature /proc/cpuinfo || { echo "this processor has no $feature" >&2; exit 1; }
done
gcc -O2 -static -fno-stack-protector -Wall -Wextra -Wno-sign-compare -Wno-missing-field-initializers -Werror -o "$work/vectors" ./*.c
mkdir -p "$target"
"$work/vectors" "$work"
gzip -9n "$work"/*.bin
mv "$work"/*.bin.gz "$target"
