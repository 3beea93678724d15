"""What large photos cost: `OMP_NUM_THREADS=1 python -m scripts.benchmarks.measure_large --seed 1`.

Makes photos with a scratch over a face, seeded, and restores each with `likeness restore` in a process of its own, with
the mask and without. Prints Markdown: CPU seconds and peak of resident memory of the command, libraries included.
The faces are people who do not exist; with `--portraits DIR` they are those of its first pictures.
"""

import argparse
import json
import multiprocessing
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from itertools import islice, product
from pathlib import Path

from models.assets import ASSETS
from models.images import Image
from pipeline.config.load import load_params
from pipeline.image_io.outcome import Limits
from pipeline.image_io.write import read_picture
from scripts.benchmarks.child_cost import cost_of
from scripts.benchmarks.large_photos import LargePhoto, sampled_portraits, write_large

SCRATCHES = {"thin": 0.012, "wide": 0.08}
"""Width in widths of the face: filled from both sides, and by the face model."""
_ROOM = 1.5
"""Heights of the face that a photo has at least."""
HEAD = (
    "| megapixels | face, px | scratch | mask | file | CPU s | peak MB | outcome |\n|---|---|---|---|---|---|---|---|"
)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--portraits", type=Path)
    parser.add_argument("--megapixels", type=float, nargs="+", default=[12.0, 48.0, 100.0])
    parser.add_argument("--faces", type=int, nargs="+", default=[600, 3000])
    parser.add_argument("--masks", nargs="+", choices=("given", "searched"), default=["given", "searched"])
    parser.add_argument("--suffix", choices=(".jpg", ".png"), default=".jpg")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    print(HEAD, flush=True)
    people = portraits(arguments.portraits, len(SCRATCHES), arguments.seed)
    for megapixels, face, (name, width) in product(arguments.megapixels, arguments.faces, SCRATCHES.items()):
        photo = LargePhoto(megapixels, face, width)
        if photo.shape[0] < _ROOM * face:
            continue
        with tempfile.TemporaryDirectory() as folder:
            portrait = people[list(SCRATCHES).index(name)]
            made = in_a_process(Path(folder), photo, portrait, arguments.seed, arguments.suffix)
            for mask in arguments.masks:
                print(row(photo, name, mask, *made), flush=True)


def portraits(folder: Path | None, count: int, seed: int) -> list[Image]:
    """So many portraits: of a folder's first pictures, or of the built-in sampler."""
    if folder is None:
        return sampled_portraits(count, seed)
    limits = Limits.of(load_params(ASSETS.parent / "params.yaml").ingest)
    return [read_picture(file, limits) for file in islice(sorted(folder.iterdir()), count)]


def in_a_process(folder: Path, photo: LargePhoto, portrait: Image, seed: int, suffix: str) -> tuple[Path, Path]:
    """Write photo and mask, in a process that takes its memory with it."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(write_large, folder, photo, portrait, seed, suffix).result()


def row(photo: LargePhoto, scratch: str, mask: str, picture: Path, mask_file: Path) -> str:
    """Restore one photo and describe what it cost."""
    command = [sys.executable, "-c", "from cli.main import main; main()", "restore", str(picture), "--json"]
    command += ["--out", str(picture.with_name(f"out{picture.suffix}"))]
    cost = cost_of([*command, "--mask", str(mask_file)] if mask == "given" else command)
    told = json.loads(cost.lines[-1])
    size = f"{picture.suffix[1:]}, {picture.stat().st_size / 1e6:.0f} MB"
    words = f"| {photo.megapixels:g} | {photo.face} | {scratch} | {mask} | {size} "
    return words + f"| {cost.cpu_seconds:.1f} | {cost.peak_megabytes:.0f} | {told['outcome']}, {told['mode']} |"


if __name__ == "__main__":
    main()
