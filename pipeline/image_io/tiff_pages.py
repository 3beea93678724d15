"""Find the photo among the pages of a TIFF: previews and masks are pages, too."""

import struct
from collections.abc import Iterator

from pipeline.image_io.outcome import Code, Refusal

MAX_PAGES = 64
_NEW_SUBFILE_TYPE, _SUBFILE_TYPE = 254, 255
_REDUCED, _TRANSPARENCY_MASK = 1, 4
_OLD_REDUCED = 2
_SHORT = 3


def photo_page(data: bytes) -> int:
    """Give the number, from 0, of the only page that is neither a reduced copy nor a mask of another one.

    Raises:
        Refusal: there are several, or none.
    """
    photos = [number for number, companion in enumerate(_pages(data)) if not companion]
    if len(photos) > 1:
        raise Refusal(Code.MULTI_FRAME, "more than one page")
    return photos[0] if photos else 0  # a lone page that calls itself reduced is all there is


def page_count(data: bytes) -> int:
    """Count the pages of a TIFF."""
    return len(list(_pages(data)))


def _pages(data: bytes) -> Iterator[bool]:
    """Whether each page accompanies another one; the chain ends at its end, at a cut, and where it bites its tail."""
    order = "<" if data.startswith(b"II") else ">"
    big = data[2:4] in (b"+\0", b"\0+")
    seen: set[int] = set()
    try:
        (place,) = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)
        while place and place not in seen:
            seen.add(place)
            if len(seen) > MAX_PAGES:
                raise Refusal(Code.MULTI_FRAME, f"more than {MAX_PAGES} pages")
            companion, place = _directory(data, place, order, big)
            yield companion
    except struct.error:
        return  # what is behind the end of the file is no page


def _directory(data: bytes, place: int, order: str, big: bool) -> tuple[bool, int]:
    """Of one directory: whether its page is a companion, and where the next one begins."""
    count_format, entry_format, next_format = ("Q", "HHQ", "Q") if big else ("H", "HHI", "I")
    step = 20 if big else 12
    (count,) = struct.unpack_from(order + count_format, data, place)
    first = place + struct.calcsize(count_format)
    companion = False
    for entry in range(first, first + min(count, 4096) * step, step):
        tag, kind, _ = struct.unpack_from(order + entry_format, data, entry)
        value_at = entry + (12 if big else 8)
        (value,) = struct.unpack_from(order + ("H" if kind == _SHORT else "I"), data, value_at)
        companion |= tag == _NEW_SUBFILE_TYPE and bool(value & (_REDUCED | _TRANSPARENCY_MASK))
        companion |= tag == _SUBFILE_TYPE and value == _OLD_REDUCED
    (following,) = struct.unpack_from(order + next_format, data, first + count * step)
    return companion, following
