#!/bin/sh
# Records x87 instructions on the real processor (x86-64 Linux, gcc).
set -e
cd "$(dirname "$0")"
gcc -O1 -Wall -Wextra -Wno-parentheses -o /tmp/record-x87 record.c
/tmp/record-x87 | gzip -9n > ../../resources/org/vmxsim/core/x87/x87.bin.gz
ls -l ../../resources/org/vmxsim/core/x87/x87.bin.gz
