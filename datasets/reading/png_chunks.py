"""A PNG without the chunks that say nothing of its pixels, for where a decoder refuses it for them, or complains."""

import io
import struct
from collections.abc import Collection
from typing import BinaryIO

SIGNATURE = b"\x89PNG\r\n\x1a\n"
TEXTS = (b"tEXt", b"zTXt", b"iTXt", b"tIME")
DISPLAY = (b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"cICP", b"pHYs", b"bKGD", b"hIST", b"sPLT", b"sBIT")
SAYS_NOTHING = (*TEXTS, *DISPLAY)
EXIF = b"eXIf"


def is_png(stream: BinaryIO) -> bool:
    """Whether a stream begins as a PNG does."""
    stream.seek(0)
    return stream.read(len(SIGNATURE)) == SIGNATURE


def without_chunks(stream: BinaryIO, names: Collection[bytes] = SAYS_NOTHING) -> BinaryIO:
    """The PNG of `stream` without the chunks of these names. A damaged one is cut off where it is damaged."""
    stream.seek(0)
    kept = io.BytesIO()
    kept.write(stream.read(len(SIGNATURE)))
    while len(head := stream.read(8)) == 8:
        size, name = struct.unpack(">I4s", head)
        data = stream.read(size + 4)  # with its checksum
        if name not in names:
            kept.write(head + data)
    kept.seek(0)
    return kept
