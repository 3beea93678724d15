"""JPEGs with padding that every viewer passes over, and those that lack or garble pixels."""

import io
import re

import numpy as np
import pytest
from PIL import Image

from pipeline.image_io.decode import read_bytes
from pipeline.image_io.outcome import Code, Rejected
from scripts.hostile.bad_files import encoded, flipped_scan, portrait
from tests.pipeline.image_io.test_normalise import LIMITS, accepted

PLAIN = encoded(portrait(), "JPEG", quality=92)
RESTARTS = encoded(portrait(), "JPEG", quality=92, restart_marker_blocks=4)
SCAN = PLAIN.index(b"\xff\xda")


def between_restarts(length: int) -> bytes:
    start = RESTARTS.index(b"\xff\xda")
    return RESTARTS[:start] + re.sub(rb"(\xff[\xd0-\xd7])", b"\0" * length + rb"\1", RESTARTS[start:])


def aligned_restarts() -> bytes:
    """As a scanner writes it that pads every part to four bytes."""
    start = RESTARTS.index(b"\xff\xda")
    return RESTARTS[:start] + re.sub(
        rb"(\xff[\xd0-\xd7])", lambda found: b"\0" * (-found.start() % 4) + found.group(1), RESTARTS[start:]
    )


HARMLESS = {
    "zeros before the end": PLAIN[:-2] + b"\0" * 8 + PLAIN[-2:],
    "a sector of zeros before the end": PLAIN[:-2] + b"\0" * 512 + PLAIN[-2:],
    "bytes before a table": PLAIN.replace(b"\xff\xdb", b"\x12\x34\xff\xdb", 1),
    "a byte before the scan": PLAIN[:SCAN] + b"\0" + PLAIN[SCAN:],
    "zeros before restarts": between_restarts(6),
    "aligned restarts": aligned_restarts(),
    "another version of JFIF": PLAIN.replace(b"JFIF\0\x01\x01", b"JFIF\0\x00\x00", 1),
    "a strange spectrum": PLAIN.replace(b"\x11\x00\x3f\x00", b"\x11\x00\x3e\x00", 1),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_padding_costs_no_pixel(name: str) -> None:
    data = HARMLESS[name]
    with Image.open(io.BytesIO(RESTARTS if "restarts" in name else PLAIN)) as image:
        expected = np.asarray(image)
    outcome = accepted(data)
    assert np.array_equal(outcome.image, expected)
    assert outcome.normalised == ("jpeg_padding_ignored",)


@pytest.mark.parametrize("data", [b"\0" * 4096, b"\xff\xd9" * 3, b"PK\x03\x04"])
def test_what_stands_behind_the_end_is_not_read(data: bytes) -> None:
    assert accepted(PLAIN + data).normalised == ()


DAMAGED = {
    "cut": PLAIN[: len(PLAIN) // 2],
    "cut and ended": PLAIN[: len(PLAIN) // 2] + b"\xff\xd9",
    "cut and filled with zeros": PLAIN[: len(PLAIN) // 2] + b"\0" * (len(PLAIN) // 2),
    "filled and ended": PLAIN[: len(PLAIN) // 2] + b"\0" * (len(PLAIN) // 2) + b"\xff\xd9",
    "flipped": flipped_scan(PLAIN),
    "padded and cut": between_restarts(6)[: len(RESTARTS) // 2],
    "a table with a wrong length": PLAIN.replace(b"\xff\xdb\0\x43", b"\xff\xdb\0\x23", 1),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_missing_and_wrong_pixels_are_corrupt(name: str) -> None:
    outcome = read_bytes(DAMAGED[name], LIMITS)
    assert isinstance(outcome, Rejected), outcome.normalised
    assert outcome.code == Code.CORRUPT
