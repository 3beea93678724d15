"""Check PNG chunk by chunk: Pillow leaves the checksum of the last image data unread."""

import struct
import zlib
from collections.abc import Iterator

from pipeline.image_io.outcome import Code, Refusal

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_CHUNKS = 65_536
MAX_PROFILE = 2**20
"""Bytes of an inflated colour profile; Pillow gives up on the whole picture beyond it."""


def check_png(data: bytes) -> bytes:
    """Verify every chunk's checksum; the same bytes come back, without a colour profile that inflates without end.

    Raises:
        Refusal: a wrong checksum or an absurd number of chunks.
    """
    kept = [SIGNATURE]
    for kind, chunk in _chunks(data):
        if zlib.crc32(chunk[4:-4]) != int.from_bytes(chunk[-4:]):
            raise Refusal(Code.CORRUPT, f"wrong checksum in chunk {kind!r}")
        if kind != b"iCCP" or not _is_bomb(chunk[8:-4]):
            kept.append(chunk)
        if len(kept) > MAX_CHUNKS:
            raise Refusal(Code.CORRUPT, f"more than {MAX_CHUNKS} chunks")
    return b"".join(kept)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and whole bytes of each complete chunk up to IEND; what follows a cut is Pillow's to judge."""
    position = len(SIGNATURE)
    while position + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 12 + length
        if end > len(data):
            raise Refusal(Code.CORRUPT, f"chunk {kind!r} is cut short")
        yield kind, data[position:end]
        if kind == b"IEND":
            return
        position = end


def _is_bomb(profile: bytes) -> bool:
    """Whether the profile behind its name and compression byte inflates beyond MAX_PROFILE."""
    _, _, rest = profile.partition(b"\0")
    inflater = zlib.decompressobj()
    try:
        inflater.decompress(rest[1:], MAX_PROFILE)
    except zlib.error:
        return False  # merely broken: dropped with a note later
    return bool(inflater.unconsumed_tail)
