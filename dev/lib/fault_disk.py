"""Disks that are full, read-only, damaged or not the right ones."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import dataset
from cairn import Device
from faults import Case, World, grow, mounted, refused, require, small_disk
from measure import run

MIB = 1 << 20


def full_disk_at_the_server(world: World) -> str:
    """Ends the upload with a clear error; what was acknowledged is served, and it goes on when there is room."""
    with small_disk(world.server.data, 48):
        world.serve()
        device = world.device("laptop")
        (device.folder / "before.txt").write_text("before\n")
        device.sync()
        dataset.make_random(device.folder / "large.bin", 80 * MIB)
        said = refused(device.sync(check=False), 75, "full")
        require(world.server.get("/health")[0] == 200, "the server is not well")
        device.run("get", "/before.txt", world.folder / "got.txt")
        require((world.folder / "got.txt").read_text() == "before\n", "what was acknowledged is gone")
        world.server.kill()
        world.server.start()
        grow(world.server.data, 400)
        world.in_sync(device, world.device("desk"))
        world.server.stop()
    return said


def full_disk_at_the_client(world: World) -> str:
    """Leaves no half file; what fits is there, and the rest comes when there is room."""
    world.serve()
    laptop = world.device("laptop")
    dataset.make_random(laptop.folder / "large.bin", 40 * MIB)
    (laptop.folder / "small.txt").write_text("small\n")
    laptop.sync()
    with small_disk(world.folder / "desk", 16):
        desk = world.device("desk")
        said = refused(desk.sync(check=False), 73, "large.bin", "space")
        require(not (desk.folder / "large.bin").exists(), "half a file is there")
        status = desk.run("status", check=False)
        require("large.bin" in status.output, f"status does not name the file: {status.output}")
        grow(desk.folder, 200)
        world.in_sync(laptop, desk)
    return said


def full_disk_under_the_state(world: World) -> str:
    """A client that can't write down what it does, does nothing."""
    world.serve()
    laptop = world.device("laptop")
    dataset.make_notes(laptop.folder / "notes", 8_000)
    home = world.folder / "home-small"
    with small_disk(home, 1):
        small = Device("small", home, world.programs, laptop.folder)
        small.login(world.server.url, "drill", "a password for the drill")
        said = refused(small.sync(check=False), 73, "state")
        require(len(list(laptop.folder.glob("notes/*/*"))) == 8_000, "files are gone")
        grow(home, 100)
        world.in_sync(small, world.device("desk"))
    return said


def read_only_folder(world: World) -> str:
    """Nothing can be written there: the error names a file that waits, and nothing is taken for deleted."""
    world.serve()
    laptop, desk = world.device("laptop"), world.device("desk")
    for name in ("one.txt", "two.txt"):
        (laptop.folder / name).write_text(f"{name}\n")
    world.in_sync(laptop, desk)
    (laptop.folder / "one.txt").write_text("edited\n")
    (laptop.folder / "three.txt").write_text("new\n")
    laptop.sync()
    with mounted(desk.folder, "--bind", str(desk.folder)):
        run(["mount", "-o", "remount,ro,bind", str(desk.folder)])
        said = refused(desk.sync(check=False), 73, ".txt", "read-only")
        require((desk.folder / "one.txt").read_text() == "one.txt\n", "the file changed in a read-only folder")
    world.in_sync(laptop, desk)
    require((laptop.folder / "one.txt").read_text() == "edited\n", "the edit was lost")
    return said


def replaced_folder(world: World) -> str:
    """An empty folder where the linked one was (a disk that is not mounted) does not delete everything."""
    world.serve()
    laptop = world.device("laptop")
    (laptop.folder / "kept.txt").write_text("kept\n")
    laptop.sync()
    laptop.folder.rename(world.folder / "unmounted")
    laptop.folder.mkdir()
    finished = laptop.sync(check=False)
    require(finished.code not in (0, 64), f"ended with {finished.code}: {finished.output}{finished.errors}")
    said = refused(finished, finished.code, str(laptop.folder))
    require("kept.txt" in laptop.run("ls", "/").output, "the server's file was deleted")
    laptop.folder.rmdir()
    (world.folder / "unmounted").rename(laptop.folder)
    world.in_sync(laptop, world.device("desk"))
    return said


def _flip(path: Path, place: int) -> None:
    with path.open("r+b") as file:
        file.seek(place)
        byte = file.read(1)
        file.seek(place)
        file.write(bytes([byte[0] ^ 0x55]))


def _packs(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.stat().st_size > MIB)


def _three_files(world: World) -> Device:
    """Three files in one pack, each of them some blocks."""
    laptop = world.device("laptop")
    for number, name in enumerate(("a.bin", "b.bin", "c.bin")):
        dataset.make_random(laptop.folder / name, 4 * MIB, seed=number + 1)
        laptop.sync()
    return laptop


def flipped_byte_in_one_of_two_regions(world: World) -> str:
    """Is not seen by anybody: the other region serves, and the damaged one is repaired from it."""
    world.server.regions = [world.folder / "region"]
    world.serve()
    laptop = _three_files(world)
    world.server.stop()
    first, second = _packs(world.server.data / "packs"), _packs(world.folder / "region")
    require(len(first) == len(second) == 1, f"there are {len(first)} and {len(second)} packs, not one in each region")
    _flip(first[0], first[0].stat().st_size // 2)
    require(first[0].read_bytes() != second[0].read_bytes(), "nothing was damaged")
    world.server.start()
    world.in_sync(laptop, world.device("desk"))
    deadline = time.monotonic() + 30
    while first[0].read_bytes() != second[0].read_bytes():
        require(time.monotonic() < deadline, "the damaged region is not repaired within 30 s")
        time.sleep(0.1)
    return "served from the other region and repaired"


def flipped_byte_in_the_only_pack(world: World) -> str:
    """The file is named, the files before and behind it in the same pack are served, and no device loses its copy."""
    world.serve()
    laptop = _three_files(world)
    world.server.stop()
    packs = _packs(world.server.data)
    require(len(packs) == 1, f"there are {len(packs)} packs, not one")
    _flip(packs[0], packs[0].stat().st_size // 2)
    world.server.start()
    finished = laptop.run("get", "/b.bin", world.folder / "got.bin", check=False)
    said = refused(finished, finished.code, "b.bin", "damaged")
    require(not (world.folder / "got.bin").exists(), "a damaged file was written")
    desk = world.device("desk")
    refused(desk.sync(check=False), 1, "b.bin")
    for name in ("a.bin", "c.bin"):
        require((desk.folder / name).exists(), f"{name} is not served")
        require((desk.folder / name).read_bytes() == (laptop.folder / name).read_bytes(), f"{name} differs")
    require(not (desk.folder / "b.bin").exists(), "a damaged file is there")
    desk.sync(check=False)
    laptop.sync(check=False)
    original = world.folder / "original.bin"
    dataset.make_random(original, 4 * MIB, seed=2)
    require((laptop.folder / "b.bin").read_bytes() == original.read_bytes(), "the device lost its copy")
    return said


def missing_keyring(world: World) -> str:
    """A server without the keys to its data does not make new ones and go on."""
    world.serve()
    world.device("laptop")
    world.server.stop()
    keyring = world.server.data / "keyring"
    kept = world.folder / "kept-keyring"
    shutil.move(keyring, kept)
    words: list[str | Path] = [
        world.programs / "cairn-server",
        "run",
        "--data",
        world.server.data,
        "--listen",
        "127.0.0.1:0",
    ]
    said = refused(run(words, check=False), 78, str(keyring))
    require(not keyring.exists(), "a new keyring was made")
    keyring.write_text("not a keyring\n")
    os.chmod(keyring, 0o600)
    refused(run(words, check=False), 78, str(keyring))
    os.replace(kept, keyring)
    world.server.start()
    return said


CASES: list[Case] = [
    full_disk_at_the_server,
    full_disk_at_the_client,
    full_disk_under_the_state,
    read_only_folder,
    replaced_folder,
    flipped_byte_in_one_of_two_regions,
    flipped_byte_in_the_only_pack,
    missing_keyring,
]
