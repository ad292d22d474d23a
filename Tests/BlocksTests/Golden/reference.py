#!/usr/bin/env python3
"""A second implementation of docs/format.md, which makes the golden files: `python3 reference.py FOLDER`.

It needs the package `cryptography` and the command `zstd`. The files are compared byte for byte by the tests, so a
difference after a change of the format's code means that the format has changed.
"""
import base64
import hashlib
import os
import subprocess
import sys

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MASK64 = (1 << 64) - 1
KIB = 1024
STANDARD = (32 * KIB, 128 * KIB, 512 * KIB)


def splitmix(state):
    while True:
        state = (state + 0x9E3779B97F4A7C15) & MASK64
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK64
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK64
        yield z ^ (z >> 31)


def gear_table():
    numbers = splitmix(0x636169726E434443)
    return [next(numbers) for _ in range(256)]


GEAR = gear_table()


def mask(n):
    return sum(1 << (62 - 48 * k // n) for k in range(n))


def first_cut(data, minimum, normal, maximum):
    bits = normal.bit_length() - 1
    strict, lax = mask(bits + 2), mask(bits - 2)
    if len(data) <= minimum:
        return len(data)
    h = 0
    limit = min(len(data), maximum)
    for i in range(minimum, limit):
        h = ((h << 1) + GEAR[data[i]]) & MASK64
        if h & (strict if i < normal else lax) == 0:
            return i + 1
    return limit


def cuts(data, parameters):
    lengths, position = [], 0
    while position < len(data):
        lengths.append(first_cut(data[position : position + parameters[2]], *parameters))
        position += lengths[-1]
    return lengths


def random_bytes(seed, count):
    numbers, out = splitmix(seed), bytearray()
    while len(out) < count:
        out += next(numbers).to_bytes(8, "little")
    return bytes(out[:count])


def text_bytes(count):
    out, number = bytearray(), 0
    while len(out) < count:
        out += b"line %d of the golden text\n" % number
        number += 1
    return bytes(out[:count])


def page(level, entries):
    width = 4 if level == 1 else 8
    body = b"".join(digest + size.to_bytes(width, "big") for digest, size in entries)
    return b"CRP1" + bytes([level]) + len(entries).to_bytes(2, "big") + body


def recipe(entries):
    """The level and the digest of a content, and its pages."""
    if not entries:
        return 0, hashlib.sha256(b"").digest(), []
    if len(entries) == 1:
        return 0, entries[0][0], []
    pages, level = [], 1
    while True:
        above, current = [], []
        for index, entry in enumerate(entries):
            current.append(entry)
            ends = len(current) >= 4 and entry[0][-1] & 0x3F == 0
            if ends or len(current) == 256 or index == len(entries) - 1:
                encoded = page(level, current)
                pages.append(encoded)
                above.append((hashlib.sha256(encoded).digest(), sum(size for _, size in current)))
                current = []
        if len(above) == 1:
            return level, above[0][0], pages
        entries, level = above, level + 1


def recipe_entries(count):
    return [(hashlib.sha256(b"block" + i.to_bytes(4, "big")).digest(), 1000 + i % 5000) for i in range(count)]


def seal(key, account, nonce, plain, codec, payload):
    head = hashlib.sha256(plain).digest() + bytes([codec]) + len(plain).to_bytes(4, "big")
    return b"\x01" + nonce + AESGCM(key).encrypt(nonce, head + payload, b"\x01" + account)


def base64_text(data):
    return base64.b64encode(data).decode().rstrip("=")


def main(folder):
    def write(name, text):
        with open(os.path.join(folder, name), "w") as out:
            out.write(text + "\n")

    write("gear.txt", "\n".join("%016x" % n for n in GEAR) + "\nstrict %016x\nlax %016x" % (mask(19), mask(15)))
    samples = [
        ("random 1", random_bytes(1, 3_000_001), STANDARD),
        ("text 0", text_bytes(2_000_000), STANDARD),
        ("random 2", random_bytes(2, 200_003), (256, 1024, 4096)),
        ("zeros 0", bytes(1_300_000), STANDARD),
    ]
    lines = []
    for name, data, parameters in samples:
        head = [name, len(data), *parameters, *cuts(data, parameters)]
        lines.append(" ".join(map(str, head)))
    write("cuts.txt", "\n".join(lines))

    lines = []
    for count in (0, 1, 2, 5, 300, 2000, 20000):
        entries = recipe_entries(count)
        level, digest, pages = recipe(entries)
        together = hashlib.sha256(b"".join(sorted(pages))).hexdigest()
        size = sum(length for _, length in entries)
        lines.append("%d %d %s %d %d %s" % (count, level, digest.hex(), size, len(pages), together))
    write("recipes.txt", "\n".join(lines))
    write("page1.hex", recipe(recipe_entries(5))[2][0].hex())
    children = [(hashlib.sha256(b"page%d" % i).digest(), (1 << 40) + i) for i in range(3)]
    write("page2.hex", page(2, children).hex())

    key, account, nonce = bytes(range(32)), bytes(range(16, 32)), bytes(range(0xA0, 0xAC))
    plain = text_bytes(300)
    write("sealed.hex", seal(key, account, nonce, plain, 0, plain).hex())
    frame = subprocess.run(["zstd", "-3", "-c", "--no-check"], input=plain * 50, stdout=subprocess.PIPE, check=True)
    write("sealed-zstd.hex", seal(key, account, nonce, plain * 50, 1, frame.stdout).hex())

    masters = {version: hashlib.sha256(b"master %d" % version).digest() for version in (1, 3)}
    text = "cairn-keyring 1\n" + "".join("key %d %s\n" % (v, m.hex()) for v, m in masters.items())
    write("keyring.txt", text + "sum " + hashlib.sha256(text.encode()).hexdigest())
    for version, master in masters.items():
        associated = b"cairn account key" + account + version.to_bytes(4, "big")
        write("wrapped-%d.hex" % version, (nonce + AESGCM(master).encrypt(nonce, key, associated)).hex())

    salt = bytes(range(16))
    password = "pässwörd".encode()
    digest = hashlib.scrypt(password, salt=salt, n=1 << 10, r=8, p=2, dklen=32, maxmem=1 << 26)
    write("password.txt", "$scrypt$ln=10,r=8,p=2$%s$%s" % (base64_text(salt), base64_text(digest)))


main(sys.argv[1])
