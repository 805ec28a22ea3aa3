"""A PNG without the chunks that say nothing of its pixels, for where Pillow refuses it for their size."""

import io
import struct
from typing import BinaryIO

SAYS_NOTHING = (b"iCCP", b"tEXt", b"zTXt", b"iTXt")  # colour profile, texts


def without_texts(stream: BinaryIO) -> BinaryIO:
    """The PNG of `stream` without its colour profile and texts. A damaged one is cut off where it is damaged."""
    stream.seek(0)
    kept = io.BytesIO()
    kept.write(stream.read(8))  # the signature
    while len(head := stream.read(8)) == 8:
        size, name = struct.unpack(">I4s", head)
        data = stream.read(size + 4)  # with its checksum
        if name not in SAYS_NOTHING:
            kept.write(head + data)
    kept.seek(0)
    return kept
