"""Damage that was drawn by hand on real old prints; the pictures themselves stay out of the repository."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

TRUTH = Path(__file__).with_name("hand_drawn.json")

Box = tuple[int, int, int, int]
"""x0, y0, x1, y1 in pixels, the last two outside."""


@dataclass(frozen=True)
class Crack:
    """A crack, crease or scratch that a person would want gone.

    Attributes:
        line: (N, 2) float32, x and y of its vertices in pixels of the photo, N >= 2.
        faint: visible only to one who looks for it.
    """

    line: npt.NDArray[np.float32]
    faint: bool


@dataclass(frozen=True)
class Print:
    """What was drawn on one photo.

    Attributes:
        file: its name; where the folder is differs from machine to machine.
        sha256: hex digest of that file.
        size: width and height in pixels.
        cracks: all that can be seen; empty on sound prints, and on those where only boxes were drawn.
        intact: boxes around details that must not be masked, without a crack inside.
        flaked: boxes in which whatever is small and bright is damage; for training, they do not count in figures.
    """

    file: str
    sha256: str
    size: tuple[int, int]
    cracks: tuple[Crack, ...]
    intact: tuple[Box, ...]
    flaked: tuple[Box, ...] = ()


def read_prints(path: Path = TRUTH) -> list[Print]:
    """All prints with hand-drawn truth."""
    return [
        Print(
            file=entry["file"],
            sha256=entry["sha256"],
            size=(entry["size"][0], entry["size"][1]),
            cracks=tuple(Crack(np.array(crack["line"], np.float32), crack["faint"]) for crack in entry["cracks"]),
            intact=tuple((x0, y0, x1, y1) for x0, y0, x1, y1 in entry["intact"]),
            flaked=tuple((x0, y0, x1, y1) for x0, y0, x1, y1 in entry.get("flaked", ())),
        )
        for entry in json.loads(path.read_text())["prints"]
    ]


def crack_length(crack: Crack) -> float:
    """Length of a crack in pixels."""
    return float(np.hypot(*np.diff(crack.line, axis=0).T).sum())


def walk(line: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Points (N, 2) on a line, evenly spaced, at most a pixel apart, both ends included."""
    along = np.concatenate([[0.0], np.hypot(*np.diff(line, axis=0).T).cumsum()])
    at = np.linspace(0, along[-1], int(np.ceil(along[-1])) + 1)
    return np.stack([np.interp(at, along, line[:, axis]) for axis in range(2)], axis=1)
