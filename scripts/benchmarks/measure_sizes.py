"""Figures of whole photos of faces of several sizes: `python -m scripts.benchmarks.measure_sizes --portraits DIR`.

The product's own path, `restore_photo` with the mask given: nothing is aligned by the truth, thin damage is filled from
both sides, faces by the face model, the rest with texture. Every face counts (mode `inpaint`). The held-out portraits
(`DIR/ffhq256` and `DIR/congress`: real people; `DIR/omi`: synthetic ones) are enlarged until the longer side of the
face's box has the size asked for; the same people with the same kinds of damage at each size. LPIPS is that of the
whole photo, identity distance (independent encoder) that of the face in the intact photo's frame. Prints Markdown:
means over those of Telea's fill of the same photos, with 95 % intervals over people.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import torch

from models.assets import ASSETS
from models.face.detector import Face
from models.gan.restorer import Restorer
from models.images import Image
from pipeline.config.load import Params, load_params
from pipeline.damage.draw import apply
from pipeline.damage.sampler import DamageSampler
from pipeline.evaluation.bootstrap import Bootstrap, Interval
from pipeline.evaluation.scoring import Judges
from pipeline.image_io.outcome import Limits
from pipeline.image_io.write import read_picture
from pipeline.project.process import quieten
from restoration.photo.classical import classical_photo
from restoration.restore import restore_photo
from restoration.types import Tools, load_tools
from scripts.assets.finder.sources import split_files
from scripts.benchmarks.intact_face import scores
from scripts.one_thread import use_one_thread

FOLDERS = {"real": ("ffhq256", "congress"), "synthetic": ("omi",)}
SIZES = (128, 256, 512, 1024)
"""Longer side of the face's box, pixels."""
BUCKETS = ((0.0, 0.1), (0.1, 0.2), (0.2, 0.3), (0.3, 0.4), (0.4, 0.6), (0.1, 0.6))
"""Coverage of the face from the first number up to, and without, the second; the last is the one with a target."""
METRICS = {"lpips": 0.55, "identity": 0.65}
"""What is asked for from 10 % coverage on, over Telea."""
RESAMPLES = 2000


def main() -> None:
    """Measure and print one table for real people and one for synthetic ones."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--portraits", type=Path, required=True)
    parser.add_argument("--people", type=int, default=40, help="real people at each size; half as many synthetic ones")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--seed", type=int, default=13)
    parser.add_argument("--beside-face", type=float, help="instead of restore.beside_face")
    parser.add_argument("--rows", type=Path, help="also write the rows, as CSV")
    parser.add_argument("--pictures", type=Path, help="also write damaged, Telea's, ours and intact, side by side")
    arguments = parser.parse_args()
    quieten()
    use_one_thread()
    changed = {} if arguments.beside_face is None else {"restore.beside_face": arguments.beside_face}
    params = load_params(ASSETS.parent / "params.yaml", changed)
    people = held_out(arguments.portraits, arguments.people)
    rows = pd.DataFrame(measured(people, arguments.sizes, params, arguments.seed, arguments.pictures))
    if arguments.rows:
        rows.to_csv(arguments.rows, index=False)
    for source in FOLDERS:
        print("\n".join(["", f"### {source}", "", *table(rows[rows["source"] == source], arguments.seed)]))


def held_out(portraits: Path, people: int) -> list[tuple[str, Path]]:
    """Choose held-out people evenly: source and file; half as many synthetic ones as real ones."""
    chosen = []
    for source, folders in FOLDERS.items():
        files = [file for folder in folders for file in split_files(portraits / folder, "test")]
        count = people if source == "real" else people // 2
        chosen += [(source, files[number * len(files) // count]) for number in range(count)]
    return chosen


@torch.inference_mode()
def measured(
    people: Sequence[tuple[str, Path]], sizes: Sequence[int], params: Params, seed: int, pictures: Path | None = None
) -> Iterator[dict[str, str | float]]:
    """One row per person and size: coverage, and LPIPS and identity distance of ours and of Telea's.

    Where no face was found the photo counts as Telea's fill of it, which is what a user can have then; `found` is 0.
    """
    tools, judges = (
        load_tools(params.restore.min_detector_score, params.identity),
        Judges.load(torch.device("cpu"), params.identity),
    )
    restorer = Restorer.load(ASSETS / "restorer.safetensors")
    for size in sizes:
        sampler = DamageSampler(params.masks, training=False)
        for number, (source, file) in enumerate(people):
            photo, face = enlarged(read_picture(file, Limits.of(params.ingest)), size, tools)
            rng = np.random.default_rng([seed, number])
            damage, facts = sampler.sample(rng, tools.landmarker.predict(photo, face), photo.shape[:2])
            damaged = apply(photo, damage)
            telea = classical_photo(damaged, damage.hole, damage.chroma)
            result = restore_photo(
                damaged,
                damage.hole,
                restorer,
                "inpaint",
                params.restore,
                chroma_mask=damage.chroma,
                tools=tools,
                always_return=True,
            )
            row: dict[str, str | float] = {"size": size, "source": source, "person": file.stem, "kind": facts.kind}
            row |= {"coverage": facts.coverage, "found": float(result.face_count > 0)}
            ours = telea if result.image is None else result.image
            if pictures is not None:
                pictures.mkdir(parents=True, exist_ok=True)
                beside = np.hstack([damaged, telea, ours, photo])
                cv2.imwrite(str(pictures / f"{size}-{number:02}-{facts.kind}.png"), beside[..., ::-1])
            row |= scores({"ours": ours, "telea": telea}, photo, face, judges, restorer.image_size)
            yield row


def enlarged(photo: Image, size: int, tools: Tools) -> tuple[Image, Face]:
    """Scale a portrait (H, W, 3) until the longer side of its face's box has `size` pixels; with the face in it."""
    face = tools.detector.detect(photo)[0]
    scale = size / max(face.box[2:])
    how = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
    large = np.asarray(cv2.resize(photo, None, fx=scale, fy=scale, interpolation=how), np.uint8)
    x, y, width, height = (scale * figure for figure in face.box)
    points = (scale * (face.points + 0.5) - 0.5).astype(np.float32)
    return large, Face((x, y, width, height), points, face.score)


def table(rows: pd.DataFrame, seed: int) -> list[str]:
    """One row per size and coverage: LPIPS and identity distance over Telea's, and how many faces were found."""
    lines = [
        "| face, px | coverage | n | found | LPIPS / Telea | identity distance / Telea |",
        "|---|---|---|---|---|---|",
    ]
    for size, same in rows.groupby("size"):
        for low, high in BUCKETS:
            part = same[(same["coverage"] >= low) & (same["coverage"] < high)]
            if part.empty:
                continue
            shown = [_shown(_over_telea(part, metric, seed)) for metric in METRICS]
            found = int(part["found"].sum())
            lines.append(f"| {size} | {low:.1f}-{high:.1f} | {len(part)} | {found} | " + " | ".join(shown) + " |")
    return lines


def _over_telea(part: pd.DataFrame, metric: str, seed: int) -> Interval:
    bootstrap = Bootstrap(list(part["person"]), RESAMPLES, np.random.default_rng(seed))
    ours, telea = (part[[f"{metric} {name}"]].to_numpy(np.float64) for name in ("ours", "telea"))
    (interval,) = bootstrap.ratios(ours, telea)
    return interval


def _shown(interval: Interval) -> str:
    return f"{interval.value:.2f} [{interval.low:.2f}, {interval.high:.2f}]"


if __name__ == "__main__":
    main()
