"""Find the photo among the pages of a TIFF: previews and masks are pages, too."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.image_io.outcome import Code, Refusal

MAX_PAGES = 64
_NEW_SUBFILE_TYPE, _SUBFILE_TYPE, _SUB_DIRECTORIES = 254, 255, 330
_REDUCED, _TRANSPARENCY_MASK = 1, 4
_OLD_REDUCED = 2
_SHORT = 3


def photo_page(data: bytes) -> int:
    """Give the number, from 0, of the only page that is neither a reduced copy nor a mask of another one.

    Raises:
        Refusal: there are several, or only previews, as in a camera's raw file.
    """
    pages = list(_pages(data))
    photos = [number for number, page in enumerate(pages) if not page.companion]
    if len(photos) > 1:
        raise Refusal(Code.MULTI_FRAME, "more than one page")
    if not photos and any(page.parent for page in pages):
        raise Refusal(Code.UNSUPPORTED_FORMAT, "a preview of a raw file; develop the file to a TIFF")
    return photos[0] if photos else 0  # a lone page that calls itself reduced is all there is


def page_count(data: bytes) -> int:
    """Count the pages of a TIFF."""
    return len(list(_pages(data)))


@dataclass(frozen=True)
class _Page:
    """`companion`: it accompanies another page. `parent`: it has further pictures below it. `following`: its place."""

    companion: bool
    parent: bool
    following: int


def _pages(data: bytes) -> Iterator[_Page]:
    """All pages of the chain, which ends at its end, at a cut, and where it bites its tail."""
    order = "<" if data.startswith(b"II") else ">"
    big = data[2:4] in (b"+\0", b"\0+")
    seen: set[int] = set()
    try:
        (place,) = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)
        while place and place not in seen:
            seen.add(place)
            if len(seen) > MAX_PAGES:
                raise Refusal(Code.MULTI_FRAME, f"more than {MAX_PAGES} pages")
            page = _directory(data, place, order, big)
            yield page
            place = page.following
    except struct.error:
        return  # what is behind the end of the file is no page


def _directory(data: bytes, place: int, order: str, big: bool) -> _Page:
    count_format, entry_format, next_format = ("Q", "HHQ", "Q") if big else ("H", "HHI", "I")
    step = 20 if big else 12
    (count,) = struct.unpack_from(order + count_format, data, place)
    first = place + struct.calcsize(count_format)
    companion = parent = False
    for entry in range(first, first + min(count, 4096) * step, step):
        tag, kind, _ = struct.unpack_from(order + entry_format, data, entry)
        value_at = entry + (12 if big else 8)
        (value,) = struct.unpack_from(order + ("H" if kind == _SHORT else "I"), data, value_at)
        companion |= tag == _NEW_SUBFILE_TYPE and bool(value & (_REDUCED | _TRANSPARENCY_MASK))
        companion |= tag == _SUBFILE_TYPE and value == _OLD_REDUCED
        parent |= tag == _SUB_DIRECTORIES
    (following,) = struct.unpack_from(order + next_format, data, first + count * step)
    return _Page(companion, parent, following)
