"""Good inputs, damaged at random: edits of bytes, values that programs trip over, and nests that are too deep."""

import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st
from PIL import Image as Pillow

from models.assets import ASSETS
from pipeline.image_io import decode as _formats  # noqa: F401 - it lets Pillow write HEIF and AVIF

_TOKENS = (
    b"\xff", b"\0", b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"NaN", b"1e999", b"-1", b"9" * 400,
    b"\\ud800", b"null", b"[" * 300, b"{\"a\":" * 100, b"\r\n", b"--x", b"--x--", b"\"", b"'", b": ", b"- ", b"&a [*a]",
    b"!!python/object/apply:os.system ['id']", b"\xed\xa0\x80", b"../", b"%s", b"{{7*7}}",
)  # fmt: skip
_BYTES = st.one_of(st.sampled_from(_TOKENS), st.binary(max_size=6))
_EDITS = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 8), _BYTES), min_size=1, max_size=8)


def mutated(seeds: list[bytes]) -> st.SearchStrategy[bytes]:
    """Draw one of the seeds with some bytes replaced, removed or added, and perhaps cut."""

    def edit(seed: bytes, edits: list[tuple[float, int, bytes]], kept: float) -> bytes:
        data = bytearray(seed[: int(len(seed) * kept)])
        for place, removed, inserted in edits:
            start = int(place * len(data))
            data[start : start + removed] = inserted
        return bytes(data)

    return st.builds(edit, st.sampled_from(seeds), _EDITS, st.one_of(st.just(1.0), st.floats(0, 1)))


def pictures() -> list[bytes]:
    """Small pictures of noise in every format that is read."""
    noise = Pillow.fromarray(np.random.default_rng(3).integers(0, 256, (24, 32, 3), dtype=np.uint8))
    kinds: tuple[tuple[str, dict[str, Any]], ...] = (
        ("JPEG", {}), ("JPEG", {"progressive": True}), ("JPEG", {"restart_marker_blocks": 2}), ("PNG", {}),
        ("WEBP", {}), ("TIFF", {"compression": "tiff_lzw"}), ("TIFF", {"compression": "tiff_deflate"}), ("BMP", {}),
        ("HEIF", {}), ("AVIF", {}),
    )  # fmt: skip
    made = [_encoded(noise, kind, **options) for kind, options in kinds]
    made += [_encoded(noise.convert("CMYK"), "JPEG"), _encoded(noise.quantize(8), "PNG", transparency=3)]
    return [*made, _encoded(Pillow.fromarray(np.asarray(noise.convert("L")).astype(np.uint16) * 257), "PNG")]


def masks() -> list[bytes]:
    """Masks of 24 x 32 pixels in the forms that are read."""
    white = np.zeros((24, 32), np.uint8)
    white[5:12, 6:20] = 255
    grey = Pillow.fromarray(white)
    layer = Pillow.fromarray(np.dstack([white, white, white, white]))
    return [
        _encoded(grey, "PNG"), _encoded(grey.convert("1"), "PNG"), _encoded(layer, "PNG"), _encoded(grey, "TIFF"),
        _encoded(grey.convert("RGB"), "JPEG"), _encoded(layer, "WEBP", lossless=True), _encoded(grey, "BMP"),
    ]  # fmt: skip


def parameters() -> list[bytes]:
    """The project's own."""
    return [(ASSETS.parent / "params.yaml").read_bytes()]


def bodies(boundary: str = "x") -> list[bytes]:
    """Forms of a restoration whose mask does not fit, so that whatever is read of them costs little."""
    picture, mask = pictures()[3], masks()[0]

    def part(name: str, content: bytes, file: str = "") -> bytes:
        named = f'; filename="{file}"' if file else ""
        return (
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'.encode() + content + b"\r\n"
        )

    texts = [part("subject", b"ward/17"), part("strength", b"0.5"), part("picture", b"none"), part("fade", b"true")]
    files = [part("image", picture, "a.png"), part("mask", mask[:-30], "b.png"), part("references", picture, "c.png")]
    end = f"--{boundary}--\r\n".encode()
    return [b"".join([*files, *texts]) + end, b"".join([*texts, *files[:2]]) + end, files[0] + end]


def records() -> dict[str, list[bytes]]:
    """JSON by what reads it."""
    feedback = {"recognised": True}
    review = {"same_person": False, "invented": ["nose", "left_eye"]}
    return {name: [json.dumps(one).encode()] for name, one in (("feedback", feedback), ("review", review))}


def _encoded(picture: Pillow.Image, kind: str, **options: Any) -> bytes:  # noqa: ANN401 - Pillow's
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


Target = Callable[[bytes], None]
"""Reads mutated bytes; raises what must not happen."""
