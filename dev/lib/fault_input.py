"""Input that must be refused: passwords, tokens, paths, blocks, bodies."""

from __future__ import annotations

import hashlib
import os

from faults import ACCOUNT, PASSWORD, Case, World, answered, one_line, refused, require
from measure import run
from messages import MEDIA, block, listed, new_folder, upload


def wrong_password(world: World) -> str:
    """Is refused, and leaves nothing behind that looks like a login."""
    world.serve()
    device = world.device("laptop")
    stranger = world.folder / "home-stranger"
    words = ["login", world.server.url, "--account", ACCOUNT, "--device", "x", "--password-stdin"]
    finished = run(device.command(*words, "--home", stranger), input="not the password\n", check=False)
    said = refused(finished, 77, "password")
    require(not list(stranger.glob("**/*credential*")), "the refused login left credentials behind")
    unknown = world.thin().login("nobody", PASSWORD)
    answered(unknown, 401, "wrong_credentials")
    return said


def revoked_token(world: World) -> str:
    """Ends a device's access at once, and its folder goes on after the next login."""
    world.serve()
    lost, kept = world.device("lost"), world.device("kept")
    (lost.folder / "before.txt").write_text("before\n")
    lost.sync()
    kept.sync()
    listed_devices = kept.run("devices").output
    identifier = next(
        word for line in listed_devices.splitlines() if " lost " in line for word in line.split() if len(word) == 32
    )
    kept.run("devices", "--revoke", identifier)
    (lost.folder / "after.txt").write_text("after\n")
    said = refused(lost.sync(check=False), 77, "revoked")
    require((lost.folder / "after.txt").read_text() == "after\n", "the revoked device lost a file")
    require(not (kept.folder / "after.txt").exists(), "the revoked device could still write")
    lost.login(world.server.url, ACCOUNT, PASSWORD)
    world.in_sync(lost, kept)
    require((kept.folder / "after.txt").exists(), "what waited did not come after the new login")
    return said


def path_with_two_dots(world: World) -> str:
    """Never leaves the account's tree, in whatever form it comes."""
    world.serve()
    device, client = world.device("laptop"), world.thin()
    for path in ("/v1/files/a/../../b", "/v1/files/%2e%2e/b", "/v1/files/a/..%2fb", "/v1/files/.."):
        answered(client.call("PUT", path, b"x"), 400, "invalid_path")
    change = new_folder(os.urandom(16), bytes(16), b"..")
    message = client.call("POST", f"/v1/namespaces/{client.namespace}/uploads", upload(os.urandom(16), [change]), MEDIA)
    require(message.status == 400, f"a change with the name '..' is answered {message.status}")
    require(device.run("ls", "/").output == "", "something was made")
    return refused(device.run("ls", "/a/../b", check=False), 64, "/a/../b")


def path_with_nul(world: World) -> str:
    """Is refused by name."""
    world.serve()
    device, client = world.device("laptop"), world.thin()
    said = answered(client.call("PUT", "/v1/files/a%00b", b"x"), 400, "invalid_path")
    change = new_folder(os.urandom(16), bytes(16), b"a\0b")
    message = client.call("POST", f"/v1/namespaces/{client.namespace}/uploads", upload(os.urandom(16), [change]), MEDIA)
    require(message.status == 400, f"a change with NUL in its name is answered {message.status}")
    require(device.run("ls", "/").output == "", "something was made")
    return said


def name_of_300_bytes(world: World) -> str:
    """Is refused by the client and by the server."""
    world.serve()
    device, client = world.device("laptop"), world.thin()
    answered(client.put("/" + "n" * 300, b"x"), 400, "invalid_path", "255")
    change = new_folder(os.urandom(16), bytes(16), b"n" * 300)
    message = client.call("POST", f"/v1/namespaces/{client.namespace}/uploads", upload(os.urandom(16), [change]), MEDIA)
    require(message.status == 400, f"a change with a name of 300 bytes is answered {message.status}")
    require(device.run("ls", "/").output == "", "something was made")
    return refused(device.run("mkdir", "/" + "n" * 300, check=False), 64, "255")


def block_under_a_wrong_hash(world: World) -> str:
    """Is refused by name, and nothing is stored under it."""
    world.serve()
    client = world.thin()
    payload, digest = b"not what it is called", hashlib.sha256(b"something else").digest()
    said = answered(
        client.call("POST", "/v1/blocks", listed([block(payload, digest)]), MEDIA),
        400,
        "hash_mismatch",
        digest.hex()[:8],
    )
    missing = client.call("POST", "/v1/blocks/missing", listed([digest]), MEDIA)
    require(missing.status == 200 and digest in missing.body, "the server believes that it has the block")
    longer = client.call("POST", "/v1/blocks", listed([block(payload, length=len(payload) + 1)]), MEDIA)
    require(longer.status == 400, f"a block that is shorter than it says is answered {longer.status}")
    return said


def truncated_body(world: World) -> str:
    """Makes no file and no block."""
    world.serve()
    client = world.thin()
    answer = client.cut_off("PUT", "/v1/files/half.bin", 1_000_000, b"h" * 500_000)
    require(b"HTTP/1.1 2" not in answer, f"half a file was taken: {answer[:200]!r}")
    require(client.get("/half.bin").status == 404, "half a file is there")
    payload = os.urandom(10_000)
    message = listed([block(payload)])
    answer = client.cut_off("POST", "/v1/blocks", len(message), message[:5_000], MEDIA["Content-Type"])
    require(b"HTTP/1.1 2" not in answer, f"half a block was taken: {answer[:200]!r}")
    cut = client.call("POST", "/v1/blocks", message[:5_000], MEDIA)
    said = (
        answered(cut, 400, "truncated_body") if cut.code == "truncated_body" else answered(cut, 400, "invalid_request")
    )
    digest = hashlib.sha256(payload).digest()
    missing = client.call("POST", "/v1/blocks/missing", listed([digest]), MEDIA)
    require(digest in missing.body, "the server believes that it has the block")
    require(world.server.get("/health")[0] == 200, "the server is not well")
    return f"{said}; cut off: {one_line(answer.decode(errors='replace').split(chr(13))[0]) or 'connection closed'}"


CASES: list[Case] = [
    wrong_password,
    revoked_token,
    path_with_two_dots,
    path_with_nul,
    name_of_300_bytes,
    block_under_a_wrong_hash,
    truncated_body,
]
