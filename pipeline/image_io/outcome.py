"""Outcomes of reading a file."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt

from pipeline.project.printable import printable


class Code(StrEnum):
    """Why a file was rejected."""

    EMPTY_FILE = "empty_file"
    UNSUPPORTED_FORMAT = "unsupported_format"
    CORRUPT = "corrupt"
    TOO_SMALL = "too_small"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_MANY_BYTES = "too_many_bytes"
    MULTI_FRAME = "multi_frame"
    UNSUPPORTED_MODE = "unsupported_mode"
    NOT_A_REGULAR_FILE = "not_a_regular_file"
    BAD_ASPECT_RATIO = "bad_aspect_ratio"
    NO_VISIBLE_PIXELS = "no_visible_pixels"
    NOT_AS_STORED = "not_as_stored"


class LimitParams(Protocol):
    """A section of params.yaml that says which files are read, in MiB and millions of pixels."""

    @property
    def max_mebibytes(self) -> float: ...
    @property
    def max_megapixels(self) -> float: ...
    @property
    def min_side(self) -> int: ...
    @property
    def max_aspect(self) -> float: ...


@dataclass(frozen=True)
class Limits:
    """What a file may ask of us; `max_aspect` is the longer side over the shorter one."""

    max_bytes: int
    max_pixels: int
    min_side: int
    max_aspect: float

    @classmethod
    def of(cls, params: LimitParams) -> Self:
        """Limits in bytes and pixels from a section of params.yaml (`ingest`, `restore.files`)."""
        return cls(
            max_bytes=int(params.max_mebibytes * 2**20),
            max_pixels=int(params.max_megapixels * 1e6),
            min_side=params.min_side,
            max_aspect=params.max_aspect,
        )


@dataclass(frozen=True, eq=False)
class Accepted:
    """A picture that was read.

    Attributes:
        image: RGB (H, W, 3) uint8, upright, without alpha, in sRGB.
        sha256: hex digest of the original bytes.
        normalised: what was changed on the way, in order ("exif_orientation", "alpha_on_white", ...).
        format: "jpeg", "png", "webp", "tiff", "bmp", "mpo", "heif", "avif"; "pixels" for what never was a file.
        data: the original bytes, for quarantine; None where there was no file.
        landmarks: (68, 2) float32 iBUG points in pixels of the picture, where its source knows them.
    """

    image: npt.NDArray[np.uint8]
    sha256: str
    normalised: tuple[str, ...]
    format: str
    data: bytes | None = field(default=None, repr=False)
    landmarks: npt.NDArray[np.float32] | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Rejected:
    """A file that was not read; `detail` is one printable line, `data` the bytes as far as they were read."""

    code: Code
    detail: str
    sha256: str = ""
    data: bytes | None = field(default=None, repr=False)


class Refusal(Exception):
    """Ends the reading of one file."""

    def __init__(self, code: Code, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = printable(detail)
