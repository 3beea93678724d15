"""Whatever the bytes: an outcome, no exception, and no picture beyond the limits."""

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from pipeline.image_io.decode import read_bytes
from pipeline.image_io.outcome import Accepted, Limits, Rejected
from scripts.hostile.bad_files import encoded
from tests.pipeline.image_io.test_archive_formats import tiff

LIMITS = Limits(max_bytes=8192, max_pixels=10_000, min_side=16, max_aspect=4.0)
_NOISE = Image.fromarray(np.random.default_rng(3).integers(0, 256, (24, 32, 3), dtype=np.uint8))
_DEEP = np.random.default_rng(4).integers(0, 65536, (24, 32, 3), dtype=np.uint16)
SEEDS = [
    encoded(_NOISE, "JPEG"),
    encoded(_NOISE, "JPEG", progressive=True),
    encoded(_NOISE.convert("CMYK"), "JPEG"),
    encoded(_NOISE, "PNG"),
    encoded(_NOISE.quantize(8), "PNG", transparency=3),
    encoded(_NOISE, "WEBP"),
    encoded(_NOISE, "TIFF", compression="tiff_lzw"),
    encoded(_NOISE, "BMP"),
    encoded(_NOISE, "HEIF"),
    encoded(_NOISE, "AVIF"),
    encoded(_NOISE, "JPEG", restart_marker_blocks=2),
    tiff(_DEEP, photometric="rgb", compression="zlib"),
    tiff(_DEEP, photometric="rgb"),
]
_BYTES = st.one_of(st.sampled_from([b"\xff", b"\0", b"\xff\xff\xff\xff", b"\0\0\0\0"]), st.binary(max_size=6))
_EDITS = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 8), _BYTES), min_size=1, max_size=8)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(SEEDS), _EDITS, st.one_of(st.just(1.0), st.floats(0, 1)))
def test_mutated_pictures_never_raise_and_never_exceed_the_limits(
    seed: bytes, edits: list[tuple[float, int, bytes]], kept: float
) -> None:
    data = bytearray(seed[: int(len(seed) * kept)])
    for place, removed, inserted in edits:
        start = int(place * len(data))
        data[start : start + removed] = inserted
    outcome = read_bytes(bytes(data), LIMITS)
    if isinstance(outcome, Rejected):
        assert outcome.detail.isprintable()
        return
    assert isinstance(outcome, Accepted)
    height, width = outcome.image.shape[:2]
    assert outcome.image.dtype == np.uint8
    assert outcome.image.shape == (height, width, 3)
    assert min(height, width) >= LIMITS.min_side
    assert height * width <= LIMITS.max_pixels
    assert max(height, width) <= LIMITS.max_aspect * min(height, width)
    assert len(data) <= LIMITS.max_bytes


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_random_bytes_are_rejected(data: bytes) -> None:
    assert isinstance(read_bytes(data, LIMITS), Rejected)
