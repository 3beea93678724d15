"""The README's pictures: portraits damaged by seed, restored through the same code as `likeness restore`.

NASA's portrait of Eileen Collins comes inside scikit-image (public domain); the group is six of the sampler's people,
who do not exist. Neither was seen in training. Writes original | damaged | restored strips and the figures beside them:
`python -m scripts.docs.make_readme_pictures [--model shipped] [--seed 4]`.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image as Pillow

from models.assets import ASSETS
from models.face.detector import Face
from models.gan.restorer import Restorer
from models.images import Image, to_tensor
from models.metrics.lpips import perceptual_distance
from models.weight_files import weights_sha256
from pipeline.config.data import SamplerParams
from pipeline.config.load import load_params
from pipeline.config.restore import RestoreParams
from pipeline.damage.draw import Damage, apply, draw
from pipeline.face_sampler.generate import portraits
from pipeline.project.paths import Paths
from pipeline.registry.weights import resolve_weights
from restoration.photo.classical import classical_photo
from restoration.photo.geometry import cut, frame_of, to_frame
from restoration.restore import restore_photo
from restoration.similarity import likeness
from restoration.types import Restoration, Tools, load_tools

OUT = ASSETS.parent / "docs" / "images"
WIDTH = 960
"""Of a page, pixels."""
GAP = 6
GROUP_SEED = 2026


@dataclass(frozen=True)
class Example:
    """A photograph and the damage to each of its faces, from left to right; "" leaves one alone."""

    name: str
    photo: Image
    kinds: tuple[str, ...]
    coverage: float


@dataclass(frozen=True)
class Result:
    """One example with its pictures."""

    example: Example
    damaged: Image
    damage: Damage
    restoration: Restoration


def examples(sampler: SamplerParams) -> list[Example]:
    """What is shown."""
    from skimage import data

    portrait = np.ascontiguousarray(data.astronaut()[:300, 70:370])
    return [
        Example("scratches", portrait, ("scratch",), 0.15),
        Example("strokes", portrait, ("brush",), 0.2),
        Example("tear", portrait, ("tear",), 0.25),
        Example("colour", portrait, ("greyscale",), 0.0),
        Example("group", group_photo(sampler), ("scratch", "", "fold", "brush", "occluder", "stain"), 0.2),
    ]


def group_photo(sampler: SamplerParams) -> Image:
    """Six people of the sampler side by side, (256, 1536, 3)."""
    people = portraits(sampler.model_copy(update={"seed": GROUP_SEED, "identities": 6, "views": 1}))
    row = np.hstack([person.image for person in people])
    return np.asarray(cv2.resize(row, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC), np.uint8)


def main() -> None:
    """Make the README's pictures; print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="shipped")
    parser.add_argument("--seed", type=int, default=4)
    arguments = parser.parse_args()
    print(make_pictures(ASSETS.parent, OUT, arguments.model, arguments.seed))


def make_pictures(root: Path, out: Path, model: str, seed: int) -> str:
    """Restore every example with a model of a checkout, write the strips to `out` and return the figures as JSON."""
    paths = Paths(root)
    params = load_params(paths.params)
    weights, version = resolve_weights(paths, params.registry.model_name, params.identity.edition, model)
    restorer, tools = Restorer.load(weights), load_tools(params.restore.min_detector_score, params.identity)
    shown = examples(params.data.sampler)
    results = [restore_example(item, seed, restorer, tools, params.restore) for item in shown]
    *singles, group = results
    out.mkdir(parents=True, exist_ok=True)
    write_jpeg(out / "restored.jpg", np.vstack([in_a_row(result) for result in singles]))
    write_jpeg(out / "restored-group.jpg", np.vstack([with_gap(picture, WIDTH) for picture in pictures(group)]))
    figures = {result.example.name: measured(result, tools) for result in results}
    report = json.dumps(
        {"model": version, "sha256": weights_sha256(weights), "seed": seed, "examples": figures}, indent=2
    )
    (out / "restored.json").write_text(report + "\n", encoding="utf-8")
    return report


def restore_example(example: Example, seed: int, restorer: Restorer, tools: Tools, params: RestoreParams) -> Result:
    """Damage the faces that the example names, and restore the photo."""
    damage = drawn(example, np.random.default_rng(seed), tools)
    damaged = apply(example.photo, damage)
    restoration = restore_photo(damaged, damage.hole, restorer, "auto", params, chroma_mask=damage.chroma, tools=tools)
    return Result(example, damaged, damage, restoration)


def drawn(example: Example, rng: np.random.Generator, tools: Tools) -> Damage:
    """The damage of all faces together."""
    shape = (example.photo.shape[0], example.photo.shape[1])
    hole, chroma = np.zeros(shape, np.bool_), np.zeros(shape, np.bool_)
    for face, kind in zip(faces_of(example.photo, tools), example.kinds, strict=True):
        if kind:
            part = draw(rng, kind, example.coverage, tools.landmarker.predict(example.photo, face), shape)
            hole |= part.hole
            chroma |= part.chroma
    return Damage(hole, chroma, "example")


def faces_of(photo: Image, tools: Tools) -> list[Face]:
    """From left to right."""
    return sorted(tools.detector.detect(photo), key=lambda face: face.box[0])


def pictures(result: Result) -> list[Image]:
    """Original, damaged, restored."""
    restored = result.restoration.image
    assert restored is not None, result.restoration.reason
    return [result.example.photo, result.damaged, restored]


def in_a_row(result: Result) -> Image:
    """Original | damaged | restored."""
    return np.hstack([with_gap(picture, WIDTH // 3) for picture in pictures(result)])


def with_gap(picture: Image, width: int) -> Image:
    """Scaled to a width that includes a white gap at the right and below."""
    inner = width - GAP
    height = round(inner * picture.shape[0] / picture.shape[1])
    way = cv2.INTER_AREA if picture.shape[1] > inner else cv2.INTER_CUBIC
    scaled = np.asarray(cv2.resize(picture, (inner, height), interpolation=way), np.uint8)
    return np.pad(scaled, ((0, GAP), (0, GAP), (0, 0)), constant_values=255)


def write_jpeg(path: Path, image: Image) -> None:
    """Small enough for a page."""
    Pillow.fromarray(image).save(path, quality=84)


def measured(result: Result, tools: Tools) -> dict[str, Any]:
    """What `--json` says of the photo, and how alike the restored and the classical faces are to the intact ones."""
    row = {name: value for name, value in vars(result.restoration).items() if name not in ("image", "faces")}
    return row | {"alike": alike(result, tools)}


def alike(result: Result, tools: Tools) -> list[dict[str, Any]]:
    """Similarity to the intact face by encoder, and LPIPS: of the restored face, and of Telea's fill alone."""
    photo, restored = result.example.photo, result.restoration.image
    assert restored is not None
    plain = classical_photo(result.damaged, result.damage.hole, result.damage.chroma)
    rows = []
    for face, kind in zip(faces_of(photo, tools), result.example.kinds, strict=True):
        if kind:
            frame = frame_of(face.points, (photo.shape[0], photo.shape[1]), 128)
            points, intact = to_frame(frame, face.points), cut(frame, photo)
            pair = [likeness(tools.encoders, cut(frame, image), intact, points, None) for image in (restored, plain)]
            distances = [perceptual(cut(frame, image), intact) for image in (restored, plain)]
            rows.append(
                {"kind": kind, "restored": pair[0].to_plain, "telea": pair[1].to_plain}
                | {"lpips_restored": distances[0], "lpips_telea": distances[1]}
            )
    return rows


@torch.inference_mode()
def perceptual(image: Image, intact: Image) -> float:
    """LPIPS (AlexNet) between two aligned faces; lower is closer."""
    return float(perceptual_distance()(to_tensor(image), to_tensor(intact)))


if __name__ == "__main__":
    main()
