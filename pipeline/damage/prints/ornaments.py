"""Details of intact pictures that are easily taken for damage: hair, lace, beads, twigs, bars, rims, buttons.

Each shows what tells it from damage: it repeats, branches or tapers, or has shade beside it. A lone bright line would
teach that scratches are intact.
"""

import math

import cv2
import numpy as np

from pipeline.damage.prints.lines import Field, Path, as_shares, coverage, smooth_path
from pipeline.damage.prints.picture import Pixels, blob, lay_over, soft_noise, step


def hair_strands(rng: np.random.Generator, picture: Pixels) -> Pixels:
    """A bundle of strands that run side by side, light and dark, tapering out."""
    shape = (picture.shape[0], picture.shape[1])
    angle, bend = rng.uniform(0, 2 * math.pi), rng.uniform(0.3, 2.0)
    trunk = smooth_path(rng, _place(rng, shape), angle, max(shape) * rng.uniform(0.3, 1.4), bend)
    reach = max(shape) * math.exp(rng.uniform(-3.7, -2.3))
    done = picture
    for tone in (rng.uniform(0, 60), rng.uniform(90, 220)):
        strands, widths = [], []
        for _ in range(int(rng.integers(14, 45))):
            spread = np.linspace(rng.uniform(0.4, 1), rng.uniform(0.4, 1.6), len(trunk))[:, None]
            first = int(rng.integers(0, max(1, len(trunk) // 2)))
            strands.append((trunk + rng.normal(0, reach, 2) * spread).astype(np.float32)[first:])
            widths.append(math.exp(rng.uniform(-0.9, 0.7)))
        done = lay_over(done, np.full(3, tone), coverage(shape, strands, widths) * rng.uniform(0.3, 0.9))
    return done


def beads(rng: np.random.Generator, picture: Pixels) -> Pixels:
    """Strings of beads, pearls or a chain: evenly spaced discs with a glint, light or dark."""
    shape = (picture.shape[0], picture.shape[1])
    done = picture
    radius = math.exp(rng.uniform(0.7, 2.3))
    path = smooth_path(rng, _place(rng, shape), rng.uniform(0, 2 * math.pi), max(shape) * rng.uniform(0.3, 1.2), 2.0)
    for row in range(int(rng.integers(1, 6))):
        string = _spaced(path + np.array([0, row * 2.6 * radius], np.float32), 2.1 * radius * rng.uniform(1, 1.4))
        discs = _discs(shape, string, radius)
        glints = _discs(shape, string - np.float32(0.35 * radius), 0.35 * radius)
        done = lay_over(done, np.full(3, rng.choice([rng.uniform(10, 90), rng.uniform(130, 230)])), discs)
        done = lay_over(done, np.full(3, rng.uniform(200, 255)), glints * rng.uniform(0.3, 1))
    return done


def lace(rng: np.random.Generator, picture: Pixels) -> Pixels:
    """Lace, embroidery or knitwear: a motif of bright or dark threads repeated on a bent grid."""
    shape = (picture.shape[0], picture.shape[1])
    side = int(np.clip(round(math.exp(rng.uniform(1.6, 3.6))), 5, 40))
    motif = np.zeros((side, side), np.uint8)
    for _ in range(int(rng.integers(1, 5))):
        centre = (int(rng.integers(side)), int(rng.integers(side)))
        axes = (int(rng.integers(1, side)), int(rng.integers(1, side)))
        if rng.random() < 0.5:
            cv2.ellipse(motif, centre, axes, rng.uniform(0, 180), 0, rng.uniform(90, 360), 255, 1, cv2.LINE_AA)
        else:
            zigzag = rng.integers(0, side, (int(rng.integers(3, 6)), 1, 2)).astype(np.int32)
            cv2.polylines(motif, [zigzag], False, 255, int(rng.integers(1, 3)), cv2.LINE_AA)
    motif = np.maximum(motif, motif[:, ::-1])
    tiles = np.tile(motif, (shape[0] // side + 3, shape[1] // side + 3)).astype(np.float32) / 255
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    warp = side * rng.uniform(0.1, 0.8)
    cos, sin = math.cos(turn := rng.uniform(0, math.pi)), math.sin(turn)
    u = x * cos + y * sin + warp * soft_noise(rng, shape, 4 * side)
    v = y * cos - x * sin + warp * soft_noise(rng, shape, 4 * side)
    threads = cv2.remap(tiles, u % (tiles.shape[1] - 1), v % (tiles.shape[0] - 1), cv2.INTER_LINEAR)
    where = step(
        blob(rng, shape, _centre(rng, shape), max(shape) * rng.uniform(0.1, 0.5), 0.15), rng.uniform(0.03, 0.3)
    )
    tone = np.full(3, rng.uniform(190, 255) if rng.random() < 0.7 else rng.uniform(0, 60))
    return lay_over(picture, tone, np.asarray(threads * where * rng.uniform(0.4, 1.0), np.float32))


def twigs(rng: np.random.Generator, picture: Pixels) -> Pixels:
    """Branching twigs, grass or leaves' veins: smooth, tapering, dark or light, often out of focus."""
    shape = (picture.shape[0], picture.shape[1])
    paths: list[Path] = []
    widths: list[float] = []
    todo = [
        (
            _place(rng, shape),
            rng.uniform(0, 2 * math.pi),
            max(shape) * rng.uniform(0.2, 1.0),
            math.exp(rng.uniform(0.7, 2.2)),
        )
    ]
    branches = int(rng.integers(3, 6))
    while todo and len(paths) < 80:
        place, angle, length, width = todo.pop()
        path = smooth_path(rng, place, angle, length, 0.8)
        for first in range(0, len(path) - 1, 4):
            paths.append(path[first : first + 5])
            widths.append(max(0.5, width * (1 - 0.7 * first / len(path))))
        for _ in range(branches if width > 0.8 else 0):
            joint = path[int(rng.integers(len(path)))]
            todo.append((joint, angle + rng.normal(0, 0.7), length * rng.uniform(0.3, 0.7), width * 0.55))
        branches = int(rng.integers(0, 5))
    drawn = coverage(shape, paths, widths)
    if rng.random() < 0.5:
        drawn = np.asarray(cv2.GaussianBlur(drawn, (0, 0), rng.uniform(0.6, 3)), np.float32)
    tone = rng.uniform(10, 80) if rng.random() < 0.7 else rng.uniform(170, 250)
    return lay_over(picture, np.full(3, tone), drawn * rng.uniform(0.5, 1))


def bars(rng: np.random.Generator, picture: Pixels) -> Pixels:
    """Window bars, planks, pleats, stripes or furniture: parallel straight edges, evenly spaced or crossing."""
    shape = (picture.shape[0], picture.shape[1])
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    angle, period = (
        rng.choice([0.0, math.pi / 2, rng.uniform(0, math.pi)]),
        max(shape) * math.exp(rng.uniform(-3.6, -1.6)),
    )
    across = (
        x * math.cos(angle)
        + y * math.sin(angle)
        + rng.choice([0.0, 0.4 * period]) * soft_noise(rng, shape, 3 * period + 8)
    )
    phase = np.abs((across / period + rng.random()) % 1 - 0.5)
    width = rng.uniform(0.08, 0.4)
    stripes = np.clip((width / 2 - phase) * period / rng.uniform(0.7, 3) + 0.5, 0, 1)
    if rng.random() < 0.25:
        along = y * math.cos(angle) - x * math.sin(angle)
        second = np.abs((along / (period * rng.uniform(0.8, 2))) % 1 - 0.5)
        stripes = np.maximum(stripes, np.clip((width / 2 - second) * period + 0.5, 0, 1))
    where = step(blob(rng, shape, _centre(rng, shape), max(shape) * rng.uniform(0.15, 0.8), 0.05), 0.02)
    return lay_over(
        picture, np.full(3, rng.uniform(0, 255)), np.asarray(stripes * where * rng.uniform(0.3, 1), np.float32)
    )


def rims(rng: np.random.Generator, picture: Pixels) -> Pixels:
    """Rims of glasses, rings, buttons, brooches, wheels: thin closed curves, with glints."""
    shape = (picture.shape[0], picture.shape[1])
    canvas = np.zeros(shape, np.uint8)
    glint = np.zeros(shape, np.uint8)
    place, radius = _place(rng, shape), math.exp(rng.uniform(0.8, 4.0))
    step_by = rng.normal(0, 1, 2) * radius * 2
    for number in range(int(rng.integers(2, 7))):
        x, y = place + number * (step_by if np.hypot(*step_by) > 2.2 * radius else np.array([2.5 * radius, 0]))
        axes = (max(1, round(radius * rng.uniform(0.8, 1.1))), max(1, round(radius * rng.uniform(0.6, 1.1))))
        thickness = -1 if radius < 6 and rng.random() < 0.6 else max(1, round(radius * rng.uniform(0.03, 0.2)))
        cv2.ellipse(canvas, (round(x), round(y)), axes, rng.uniform(0, 20), 0, 360, 255, thickness, cv2.LINE_AA)
        cv2.ellipse(
            glint,
            (round(x), round(y)),
            axes,
            0,
            rng.uniform(180, 240),
            rng.uniform(250, 330),
            255,
            max(1, thickness),
            cv2.LINE_AA,
        )
    done = lay_over(
        picture,
        np.full(3, rng.uniform(0, 90) if rng.random() < 0.6 else rng.uniform(120, 220)),
        as_shares(canvas),
    )
    return lay_over(done, np.full(3, rng.uniform(200, 255)), as_shares(glint) * rng.uniform(0, 1))


def discs(rng: np.random.Generator, picture: Pixels) -> Pixels:
    """Lights out of focus, flowers, medals: soft or sharp round patches, lighter or darker."""
    shape = (picture.shape[0], picture.shape[1])
    done = picture
    for _ in range(int(rng.integers(1, 8))):
        radius = max(shape) * math.exp(rng.uniform(-3, -1.3))
        patch = step(blob(rng, shape, _centre(rng, shape), radius, rng.choice([0.0, 0.1])), rng.uniform(0.1, 1.0))
        done = done + (rng.uniform(-60, 90) * patch)[..., None]
    return np.asarray(done, np.float32)


def buttons(rng: np.random.Generator, picture: Pixels) -> Pixels:
    """Metal or glass buttons, medals, studs: round, in rows, lit from one side, with a glint, a rim and a shadow."""
    shape = (picture.shape[0], picture.shape[1])
    radius, angle, light = math.exp(rng.uniform(0.6, 2.8)), rng.uniform(0, math.pi), rng.uniform(0, 2 * math.pi)
    along = np.array([math.cos(angle), math.sin(angle)])
    across = np.array([-along[1], along[0]])
    place, gap, row = _centre(rng, shape), radius * rng.uniform(2.2, 9), radius * rng.uniform(4, 20)
    numbers, rows = np.arange(int(rng.integers(1, 9))), np.arange(int(rng.integers(1, 3)))
    grid = (numbers[:, None, None] * gap * along + rows[None, :, None] * row * across).reshape(-1, 2)
    centres = (place + grid + rng.normal(0, 0.15 * radius, grid.shape)).astype(np.float32)
    towards = np.array([math.cos(light), math.sin(light)], np.float32) * np.float32(radius)
    body, edge = rng.uniform(30, 200), rng.uniform(0.1, 0.35)
    layers = (
        (np.full(3, rng.uniform(0, 40)), _discs(shape, centres - 0.35 * towards, 1.1 * radius), rng.uniform(0.2, 0.9)),
        (np.full(3, rng.uniform(0, 255)), _discs(shape, centres, radius), 1.0),
        (np.full(3, body), _discs(shape, centres, radius * (1 - edge)), 1.0),
        (np.full(3, 1.5 * body), _discs(shape, centres + 0.2 * towards, radius * 0.6), rng.uniform(0.2, 0.8)),
        (np.full(3, rng.uniform(200, 255)), _discs(shape, centres + 0.4 * towards, radius * 0.3), rng.uniform(0.3, 1)),
    )
    soft = rng.uniform(0.3, 1.2)
    done = picture
    for tone, cover, strength in layers:
        done = lay_over(done, tone, np.asarray(cv2.GaussianBlur(cover, (0, 0), soft) * strength, np.float32))
    return done


def stitches(rng: np.random.Generator, picture: Pixels) -> Pixels:
    """Seams, braid, wrinkles, eyelashes: short strokes in a row."""
    shape = (picture.shape[0], picture.shape[1])
    place, angle, length = _place(rng, shape), rng.uniform(0, math.pi), math.exp(rng.uniform(1.0, 3.3))
    advance, direction = length * rng.uniform(0.3, 1.6), rng.uniform(0, 2 * math.pi)
    strokes = []
    for number in range(int(rng.choice([6, 10, 20, 30]))):
        move = number * advance * np.array([math.cos(direction), math.sin(direction)], np.float32)
        strokes.append(smooth_path(rng, place + move, angle + rng.normal(0, 0.08), length, 0.3))
    drawn = coverage(shape, strokes, [math.exp(rng.uniform(-0.5, 1.3))] * len(strokes))
    drawn = np.asarray(cv2.GaussianBlur(drawn, (0, 0), rng.uniform(0.3, 1.5)), np.float32)
    tone = rng.uniform(0, 90) if rng.random() < 0.5 else rng.uniform(160, 250)
    return lay_over(picture, np.full(3, tone), drawn * rng.uniform(0.3, 1))


def seams(rng: np.random.Generator, picture: Pixels) -> Pixels:
    """Collars, lapels, folds of cloth, furniture: smooth curves with shade on one side and a glint along them."""
    shape = (picture.shape[0], picture.shape[1])
    done = picture
    for _ in range(int(rng.integers(1, 4))):
        path = smooth_path(
            rng, _place(rng, shape), rng.uniform(0, 2 * math.pi), max(shape) * rng.uniform(0.3, 1.5), 1.2
        )
        line = coverage(shape, [path], [math.exp(rng.uniform(-0.4, 1.2))])
        line = np.asarray(cv2.GaussianBlur(line, (0, 0), rng.uniform(0.3, 1.2)), np.float32)
        reach = max(shape) * math.exp(rng.uniform(-3.5, -1.5))
        away, side = _beside(shape, path)
        shade = np.exp(-away / reach) * side
        depth = rng.uniform(20, 80)
        done = done + (rng.choice([-1, 1]) * depth * shade)[..., None]
        tone = rng.uniform(150, 250) if rng.random() < 0.7 else rng.uniform(0, 60)
        glint = line * rng.uniform(0.0, depth / 110)
        done = lay_over(np.asarray(done, np.float32), np.full(3, tone), np.asarray(glint, np.float32))
    return np.asarray(done, np.float32)


ORNAMENTS = (hair_strands, beads, lace, twigs, bars, rims, discs, buttons, stitches, seams, seams)
"""Seams twice: they are the commonest."""


def _beside(shape: tuple[int, int], path: Path) -> tuple[Field, Field]:
    """Distance to a path, and 1 on its left side, 0 on its right, by its nearest point."""
    free = np.ones(shape, np.uint8)
    cv2.polylines(free, [np.rint(path).astype(np.int32).reshape(-1, 1, 2)], False, 0)
    away = np.asarray(cv2.distanceTransform(free, cv2.DIST_L2, 5), np.float32)
    slope_y, slope_x = np.gradient(away)
    heading = path[-1] - path[0]
    left = (slope_x * heading[1] - slope_y * heading[0]) > 0
    return away, left.astype(np.float32)


def _place(rng: np.random.Generator, shape: tuple[int, int]) -> Path:
    return np.array(_centre(rng, shape), np.float32)


def _centre(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[float, float]:
    return float(rng.uniform(0, shape[1])), float(rng.uniform(0, shape[0]))


def _spaced(path: Path, distance: float) -> Path:
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(path, axis=0).T))])
    at = np.arange(0, along[-1], max(1.0, distance))
    return np.stack([np.interp(at, along, path[:, axis]) for axis in (0, 1)], axis=1).astype(np.float32)


def _discs(shape: tuple[int, int], centres: Path, radius: float) -> Field:
    canvas = np.zeros(shape, np.uint8)
    for x, y in np.rint(centres * 16).astype(int):
        cv2.circle(canvas, (int(x), int(y)), max(4, round(16 * radius)), 255, -1, cv2.LINE_AA, 4)
    return as_shares(canvas)
