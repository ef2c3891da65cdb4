#!/usr/bin/env python3
"""Asks objdump what every row of the opcode maps and random bytes decode to; writes decodes.txt.gz.

Usage: record.py OUTPUT. One case a line: code bits, bytes that objdump took, mnemonic in Intel syntax without prefixes.
Undefined encodings are given as "(bad)" with the bytes that were offered.
"""
import gzip
import random
import re
import subprocess
import sys
import tempfile

SLOT = 32
MACHINE = {16: ["-m", "i8086"], 32: ["-m", "i386"], 64: ["-m", "i386:x86-64"]}
PREFIX_WORDS = {"lock", "rep", "repe", "repne", "repz", "repnz", "data16", "data32", "addr16", "addr32", "cs", "ds", "es",
                "ss", "fs", "gs", "bnd", "notrack", "xacquire", "xrelease"}
MODRMS = [reg << 3 | form for reg in range(8) for form in (0x03, 0xC1)]
EXTRA_MODRMS = [0x04, 0x05, 0x06, 0x44, 0x45, 0x46, 0x84, 0x86]
TAIL = bytes([0x25, 0x12, 0x83, 0x34, 0x56, 0x78, 0x11, 0x22, 0x33])


def rows(bits):
    """Every opcode with every ModR/M.reg, in both forms, with the prefixes that select or size."""
    legacy = [b"", b"\x66", b"\xf3", b"\xf2", b"\x67"] + ([b"\x48", b"\x41", b"\x66\x48"] if bits == 64 else [])
    skip = {0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65, 0x66, 0x67, 0xF0, 0xF2, 0xF3, 0x0F, 0x62, 0xC4, 0xC5, 0x8F}
    skip |= set(range(0xD8, 0xE0)) | (set(range(0x40, 0x50)) if bits == 64 else set())
    for prefix in legacy:
        for opcode in range(256):
            if opcode not in skip:
                for modrm in MODRMS + EXTRA_MODRMS:
                    yield prefix + bytes([opcode, modrm]) + TAIL
            if opcode not in (0x38, 0x3A, 0x0F, 0xFF, 0xB9):
                for modrm in MODRMS:
                    yield prefix + bytes([0x0F, opcode, modrm]) + TAIL
        for opcode in (0x80, 0x81, 0x82, 0xF0, 0xF1, 0xF6):
            for modrm in MODRMS:
                yield prefix + bytes([0x0F, 0x38, opcode, modrm]) + TAIL
    for modrm in range(0xC0, 0x100):
        yield bytes([0x0F, 0x01, modrm]) + TAIL
    for opcode in (0xF2, 0xF3, 0xF5, 0xF6, 0xF7):
        for pp in range(4):
            for modrm in MODRMS:
                yield bytes([0xC4, 0xE2, 0x68 | pp, opcode, modrm]) + TAIL
                yield bytes([0xC4, 0xE2, 0xE8 | pp, opcode, modrm]) + TAIL


def randoms(bits, count):
    source = random.Random(bits)
    for _ in range(count):
        yield bytes(source.randrange(256) for _ in range(15))


def disassemble(cases, bits):
    with tempfile.NamedTemporaryFile() as image:
        for case in cases:
            image.write(case + b"\x90" * (SLOT - len(case)))
        image.flush()
        out = subprocess.run(["objdump", "-D", "-b", "binary", "-M", "intel", "--insn-width=16", *MACHINE[bits], image.name],
                             capture_output=True, text=True, check=True).stdout
    found = {}
    for line in out.splitlines():
        match = re.match(r"\s*([0-9a-f]+):\t((?:[0-9a-f]{2} )+)\s*(.*)", line)
        if match and int(match[1], 16) % SLOT == 0:
            found[int(match[1], 16) // SLOT] = (match[2].replace(" ", ""), match[3])
    return [found[i] for i in range(len(cases))]


def mnemonic(text):
    words = [word for word in text.replace(",", " ").split() if not word.startswith(("rex", "{"))]
    while words and words[0] in PREFIX_WORDS:
        words.pop(0)
    return words[0] if words else None


def main():
    lines = {}
    vector_lines = {}
    for bits in (16, 32, 64):
        for cases in (list(rows(bits)), list(randoms(bits, 12000))):
            for case, (taken, text) in zip(cases, disassemble(cases, bits)):
                name = "(bad)" if "(bad)" in text else mnemonic(text)
                if name is None:
                    continue
                if re.search(r"\b[xyz]?mm\d|\bst\b", text):
                    # registers that the processor does not have: a few of each are enough
                    vector_lines[name] = vector_lines.get(name, 0) + 1
                    if vector_lines[name] > 6:
                        continue
                lines[f"{bits} {case.hex() if name == '(bad)' else taken} {name}"] = None
    with gzip.GzipFile(sys.argv[1], "wb", mtime=0) as out:
        out.write(("\n".join(lines) + "\n").encode())
    print(len(lines))


main()
