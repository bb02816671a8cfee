"""Files on their way to and from the bot."""

import struct
from typing import Any

from aiohttp.web import FileField

from .links import is_link
from .methods import method
from .parameters import Params, bad
from .world import File, World, described

UPLOAD_LIMITS = {"document": 50 * 2**20, "photo": 10 * 2**20}
DOWNLOAD_LIMIT = 20 * 2**20
_LOCAL_LIMIT = 2000 * 2**20


def file_of(world: World, params: Params, kind: str) -> tuple[bytes, str]:
    """The content and name of the file that a parameter carries, names or links to."""
    value = params.get(kind)
    if isinstance(value, str) and value.startswith("attach://"):
        value = params.get(value.removeprefix("attach://"))
    if value is None or value == "":
        raise bad(f"there is no {kind} in the request")
    if isinstance(value, FileField):
        content, name = value.file.read(), value.filename
    elif value in world.files:
        content, name = world.files[value].content, value
    elif is_link(value):
        if value not in world.web:
            raise bad("failed to get HTTP URL content")
        content, name = world.web[value], value.rpartition("/")[2]
    else:
        raise bad("wrong file identifier/HTTP URL specified")
    _check(content, kind, local=world.local)
    return content, name


def _check(content: bytes, kind: str, *, local: bool) -> None:
    if not content:
        raise bad("file must be non-empty")
    if len(content) > (_LOCAL_LIMIT if local and kind == "document" else UPLOAD_LIMITS[kind]):
        raise bad(f"file of size {len(content)} bytes is too big for a {kind}")
    if kind != "photo":
        return
    size = picture_size(content)
    if size is None:
        raise bad("IMAGE_PROCESS_FAILED")
    if sum(size) > 10_000 or max(size) > 20 * min(size):
        raise bad("PHOTO_INVALID_DIMENSIONS")


def picture_size(content: bytes) -> tuple[int, int] | None:
    """Width and height of a PNG or JPEG; None for anything else."""
    if content.startswith(b"\x89PNG\r\n\x1a\n") and content[12:16] == b"IHDR":
        width, height = struct.unpack(">II", content[16:24])
        return (width, height) if width and height else None
    if not content.startswith(b"\xff\xd8"):
        return None
    place = 2
    while place + 9 < len(content) and content[place] == 0xFF:
        marker, length = content[place + 1], int.from_bytes(content[place + 2 : place + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:
            height, width = struct.unpack(">HH", content[place + 5 : place + 9])
            return width, height
        place += 2 + length
    return None


@method("getFile")
async def get_file(world: World, params: Params) -> dict[str, Any]:
    file: File | None = world.files.get(str(params.get("file_id", "")))
    if file is None:
        raise bad("invalid file_id")
    if len(file.content) > DOWNLOAD_LIMIT and not world.local:
        raise bad("file is too big")
    return described(file) | {"file_path": file.path}
