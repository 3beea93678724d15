"""Take out of a JPEG what no viewer minds: padding between segments, before restart markers and before the end.

Cheap cameras and scanners write such files. Decoders call it corrupt data, in the same words as true damage; what
tells them apart is that the file decodes without a complaint once the padding is gone.
"""

import re
import struct
from dataclasses import dataclass

MAX_GAP = 64
"""Bytes between two segments that count as padding; more of them are a segment whose length is wrong."""
MAX_RUN = 64
"""Zeros before a marker that may hold the last byte of the data; a file that was cut is filled with more."""

_ZEROS = re.compile(rb"(?<!\xff)\x00+(?=\xff+[\xd0-\xd9])")
_MARKER = re.compile(rb"\xff+[\x01-\xfe]")
_SOS, _APP0 = 0xDA, 0xE0
_BASELINE = (0xC0, 0xC1)
_ALONE = {0x01, *range(0xD0, 0xD9)}
"""Markers without a segment."""


@dataclass(frozen=True)
class Tidied:
    """A JPEG without padding.

    `data`: the file. `ended`: it has an end marker. `longest`: zeros in the longest run that was taken out of its
    compressed data.
    """

    data: bytes
    ended: bool
    longest: int


def tidied(data: bytes) -> Tidied | None:
    """Take the padding out of a JPEG; None where its segments do not follow each other."""
    head = _header(data)
    if head is None:
        return None
    segments, start = head
    scans = data[start:]
    runs = [len(run) for run in _ZEROS.findall(scans)]
    return Tidied(segments + _ZEROS.sub(b"", scans), b"\xff\xd9" in scans, max(runs, default=0))


def _header(data: bytes) -> tuple[bytes, int] | None:
    """All segments up to the first compressed data, and where that begins."""
    kept, place, baseline = [data[:2]], 2, False
    while (found := _MARKER.search(data, place, place + MAX_GAP + 2)) is not None:
        marker, begin = data[found.end() - 1], found.end()
        if marker in _ALONE:
            place = begin
            continue
        if begin + 2 > len(data):
            return None
        end = begin + struct.unpack_from(">H", data, begin)[0]
        baseline |= marker in _BASELINE
        kept.append(b"\xff" + bytes([marker]) + _mended(marker, data[begin:end], baseline))
        if marker == _SOS:
            return b"".join(kept), end
        place = end
    return None


def _mended(marker: int, segment: bytes, baseline: bool) -> bytes:
    """A segment without what is wrong in it and has no meaning: the spectrum of a baseline scan, JFIF's version."""
    if marker == _SOS and baseline and len(segment) >= 6:
        return segment[:-3] + b"\0\x3f\0"
    if marker == _APP0 and segment[2:7] == b"JFIF\0" and segment[7:8] != b"\x01":
        return segment[:7] + b"\x01\x01" + segment[9:]
    return segment
