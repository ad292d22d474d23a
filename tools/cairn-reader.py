#!/usr/bin/python3
"""Rebuilds every file of a Cairn server from its database, its packs and its keyring.

It shares no code with Cairn and knows only what docs/format.md, docs/format-packs.md and docs/format-database.md say: so what
Cairn keeps can be had back without Cairn. It reads a stopped server's data directory, or a backup, changes neither, and
checks every hash on the way: pages, blocks, seals.

Needs Python 3.11 and, from Debian, python3-cryptography, and python3-zstandard or the command zstd.

    cairn-reader.py DATA OUT                     every account, as it is, below OUT/ACCOUNT
    cairn-reader.py DATA OUT --account ada --at 12 --packs /mnt/copy

What can't be read is named on standard error, and the exit code is then 1.
"""

import argparse
import hashlib
import os
import sqlite3
import struct
import subprocess
import sys
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

try:
    import zstandard
except ImportError:
    zstandard = None

SCHEMA = 8
ROOT = bytes(16)
FOLDER, FILE, LINK = 0, 1, 2


class Damage(Exception):
    """What is there is not what the format says."""


def decompress(payload, length):
    if zstandard is not None:
        plain = bytearray()
        while payload:  # One frame after the other.
            frame = zstandard.ZstdDecompressor().decompressobj()
            try:
                plain += frame.decompress(payload)
            except zstandard.ZstdError as error:
                raise Damage(f"zstd: {error}") from error
            if len(plain) > length or len(frame.unused_data) == len(payload):
                break
            payload = frame.unused_data
        return bytes(plain)
    done = subprocess.run(["zstd", "-dcq"], input=payload, capture_output=True, check=False)
    if done.returncode != 0:
        raise Damage(f"zstd: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def read_keyring(path):
    """The master keys by version: format.md, chapter 5."""
    text = Path(path).read_bytes()
    lines = text.decode("ascii").split("\n")
    if lines[0] != "cairn-keyring 1" or lines[-1] != "" or not lines[-2].startswith("sum "):
        raise Damage(f"{path} is no keyring")
    body = text[: text.rindex(b"sum ")]
    if hashlib.sha256(body).hexdigest() != lines[-2][4:]:
        raise Damage(f"{path} is damaged: its sum is another one")
    keys = {}
    for line in lines[1:-2]:
        word, version, digits = line.split(" ")
        if word != "key":
            raise Damage(f"{path} is no keyring")
        keys[int(version)] = bytes.fromhex(digits)
    return keys


def unwrap(keys, account, version, wrapped):
    """The key of an account: format.md, chapter 5."""
    if version not in keys:
        raise Damage(f"the keyring has no master key {version}")
    associated = b"cairn account key" + account + struct.pack(">I", version)
    try:
        return AESGCM(keys[version]).decrypt(wrapped[:12], wrapped[12:], associated)
    except InvalidTag as error:
        raise Damage(f"the key of account {account.hex()} does not open with master key {version}") from error


class Account:
    """What one account has, read by its key."""

    def __init__(self, database, packs, ident, key):
        self.database = database
        self.packs = packs
        self.ident = ident
        self.cipher = AESGCM(key)

    def frame(self, pack, place, length):
        """The payload of a record in the first directory that has it: format-packs.md."""
        name = pack.hex()
        problem = f"pack {name} is not there"
        for folder in self.packs:
            for ending in (".pack", ".open"):
                path = folder / "packs" / name[:2] / (name + ending)
                try:
                    with open(path, "rb") as file:
                        file.seek(place - 24)
                        header, payload = file.read(24), file.read(length)
                except OSError:
                    continue
                if header[:4] == b"CBK1" and struct.unpack("<I", header[4:8])[0] == length == len(payload):
                    yield payload
                else:
                    problem = f"there is no record of {length} bytes at {place} of {path}"
        raise Damage(problem)

    def block(self, ident, size):
        """The plaintext of a block: format.md, chapters 2 and 4."""
        row = self.database.execute(
            "SELECT plain_length, pack, place, length FROM block WHERE account = ? AND id = ?", (self.ident, ident)
        ).fetchone()
        if row is None or row[0] != size:
            raise Damage(f"block {ident.hex()} has no row of {size} bytes")
        problem = None
        try:
            for sealed in self.frame(*row[1:]):
                try:
                    return self.open(ident, size, sealed)
                except Damage as error:  # Another directory may have it whole.
                    problem = error
        except Damage as error:
            problem = problem or error
        raise Damage(f"block {ident.hex()}: {problem}")

    def open(self, ident, size, sealed):
        if len(sealed) < 66 or sealed[0] != 1:
            raise Damage("its record is not sealed as version 1")
        try:
            plain = self.cipher.decrypt(sealed[1:13], sealed[13:], b"\x01" + self.ident)
        except InvalidTag as error:
            raise Damage("its record does not open with the key of the account") from error
        name, codec, length = struct.unpack(">32sBI", plain[:37])
        payload = plain[37:]
        if name != ident or length != size:
            raise Damage(f"its record holds block {name.hex()} of {length} bytes")
        if codec == 1:
            payload = decompress(payload, length)
        elif codec != 0:
            raise Damage(f"its codec is {codec}")
        if len(payload) != size or hashlib.sha256(payload).digest() != ident:
            raise Damage("its bytes have another hash")
        return payload

    def blocks(self, level, ident, size):
        """The blocks of a content, in order, with their lengths: format.md, chapter 3."""
        if level == 0:
            if size > 0:
                yield ident, size
            return
        row = self.database.execute("SELECT bytes FROM page WHERE account = ? AND id = ?", (self.ident, ident)).fetchone()
        if row is None:
            raise Damage(f"page {ident.hex()} is not there")
        page = row[0]
        if hashlib.sha256(page).digest() != ident:
            raise Damage(f"page {ident.hex()} has another hash")
        magic, own, count = struct.unpack(">4sBH", page[:7])
        entry = ">32sI" if own == 1 else ">32sQ"
        if magic != b"CRP1" or own != level or len(page) != 7 + count * struct.calcsize(entry):
            raise Damage(f"page {ident.hex()} is no page of level {level}")
        entries = list(struct.iter_unpack(entry, page[7:]))
        if sum(length for _, length in entries) != size:
            raise Damage(f"page {ident.hex()} does not have {size} bytes below it")
        for child, length in entries:
            if level == 1:
                yield child, length
            else:
                yield from self.blocks(level - 1, child, length)

    def write(self, path, level, ident, size):
        """Writes a file whole, or leaves none."""
        try:
            with open(path, "xb") as file:
                for block, length in self.blocks(level, ident, size):
                    file.write(self.block(block, length))
        except Damage:
            path_remove(path)
            raise


def path_remove(path):
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


class Export:
    """Writes a tree as it was at a revision: format-database.md."""

    def __init__(self, account, namespace, revision):
        self.account = account
        self.namespace = namespace
        self.revision = revision
        self.files = self.bytes = self.failures = 0

    def folder(self, ident, out, shown):
        rows = self.account.database.execute(
            """SELECT node, name, kind, level, digest, size, target, mode, modified, thinned FROM node
               WHERE namespace = ? AND parent = ? AND valid_from <= ? AND (valid_to IS NULL OR valid_to > ?)
               ORDER BY name""",
            (self.namespace, ident, self.revision, self.revision),
        ).fetchall()
        for node, name, kind, level, digest, size, target, mode, modified, thinned in rows:
            place = out + b"/" + name
            label = shown + "/" + name.decode(errors="replace")
            try:
                if kind == FOLDER:
                    os.mkdir(place, 0o700)
                    self.folder(node, place, label)
                elif kind == LINK:
                    os.symlink(target, place)
                elif thinned is not None:
                    raise Damage("the bytes of this version were given up")
                else:
                    self.account.write(place, level, digest, size)
                    self.files += 1
                    self.bytes += size
                if kind != LINK:
                    os.chmod(place, mode & 0o1777)
                os.utime(place, ns=(modified, modified), follow_symlinks=False)
            except (Damage, OSError) as error:
                self.failures += 1
                print(f"{label}: {error}", file=sys.stderr)


def main():
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("data", type=Path, help="a stopped server's data directory, or a backup")
    words.add_argument("out", type=Path, help="where to write: a new or an empty directory")
    words.add_argument("--keyring", type=Path, help="the keyring, when it is not in DATA")
    words.add_argument("--packs", type=Path, action="append", default=[], help="a further region; may be given again")
    words.add_argument("--account", help="only this one")
    words.add_argument("--at", type=int, metavar="REVISION", help="as it was at this revision")
    given = words.parse_args()
    sys.setrecursionlimit(100_000)

    given.out.mkdir(parents=True, exist_ok=True)
    if any(given.out.iterdir()):
        words.error(f"{given.out} is not empty")
    keys = read_keyring(given.keyring or given.data / "keyring")
    database = sqlite3.connect(f"file:{given.data / 'cairn.db'}?mode=ro", uri=True)
    schema = database.execute("SELECT MAX(version) FROM schema_version").fetchone()[0]
    if schema < SCHEMA:
        words.error(f"the tables are of version {schema}: this program reads version {SCHEMA}; start the server once")
    accounts = database.execute("SELECT id, name, master_key, wrapped_key FROM account ORDER BY name").fetchall()
    if given.account is not None:
        accounts = [row for row in accounts if row[1] == given.account]
        if not accounts:
            words.error(f"there is no account {given.account}")
    failures = 0
    for ident, name, version, wrapped in accounts:
        account = Account(database, [given.data / "packs", *given.packs], ident, unwrap(keys, ident, version, wrapped))
        namespaces = database.execute("SELECT id, revision FROM namespace WHERE owner = ? ORDER BY id", (ident,)).fetchall()
        for place, (namespace, head) in enumerate(namespaces):
            revision = head if given.at is None else given.at
            if revision > head:
                words.error(f"the tree of {name} has only {head} revisions")
            out = given.out / (name if place == 0 else f"{name}-{namespace.hex()}")
            out.mkdir()
            export = Export(account, namespace, revision)
            export.folder(ROOT, os.fsencode(out), "")
            print(f"{name}: {export.files} files, {export.bytes} bytes, of revision {revision}")
            failures += export.failures
    return 1 if failures else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Damage as error:
        sys.exit(f"cairn-reader: {error}")
