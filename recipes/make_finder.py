"""Train the damage finder that ships: `make finder PORTRAITS=DIR PRINTS=DIR`. Resumes where it was stopped.

PORTRAITS holds folders of portraits (`recipes.finder_sources.FOLDERS`), PRINTS old prints. The last fifth of each
folder, by name, is left out for the figures; the 7 % before it calibrate. Writes assets/finder.safetensors (float16),
its curves and its card. `--ship` writes them of a training that is still going on.
"""

import argparse
import json
import logging
import shutil
from datetime import UTC, datetime
from pathlib import Path

import cv2
import torch

from models.damage_finder.finder import Finder
from models.weight_files import weights_sha256
from pipeline.config import load_params
from pipeline.layout import ASSETS
from pipeline.quiet import quieten
from pipeline.reading import Limits
from recipes.finder_calibration import calibrate
from recipes.finder_sources import read_sources
from recipes.finder_training import Plan, load_checkpoint, steps_done, train

CYCLES = (5600, 2400)


def main() -> None:
    """Train, calibrate, write weights, curves and the card's figures of making."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--portraits", type=Path, required=True, help="folder of folders of portraits")
    parser.add_argument("--prints", type=Path, help="folder of old prints")
    parser.add_argument("--work", type=Path, default=Path("build/finder"), help="checkpoint and curves")
    parser.add_argument("--cycles", type=int, nargs="+", default=CYCLES, help="steps of each")
    parser.add_argument("--out", type=Path, default=ASSETS)
    parser.add_argument("--ship", action="store_true", help="train no further")
    arguments = parser.parse_args()
    quieten()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    params = load_params(Path("params.yaml"))
    limits, plan = Limits.of(params.ingest), Plan(tuple(arguments.cycles))
    if not arguments.ship:
        train(read_sources(arguments.portraits, arguments.prints, "train", limits), plan, arguments.work)
    network = load_checkpoint(arguments.work, plan.width)
    held_out = read_sources(arguments.portraits, None, "validation", limits)
    finder = calibrate(network, held_out, params.restore.finder.threshold)
    ship(finder, plan, arguments.work, arguments.out)


def ship(finder: Finder, plan: Plan, work: Path, out: Path) -> None:
    """Write weights, curves, and what the card must say about their making."""
    target = out / "finder.safetensors"
    finder.save(target)
    shutil.copyfile(work / "curves.csv", out / "finder_curves.csv")
    steps = steps_done(work)
    card = {
        "sha256": weights_sha256(target),
        "recipe": "make finder PORTRAITS=DIR PRINTS=DIR",
        "plan": vars(plan),
        "steps": steps,
        "samples": samples(steps, plan),
        "parameters": sum(weight.numel() for weight in finder.network.parameters()),
        "slope": finder.slope,
        "offset": finder.offset,
        "made": datetime.now(UTC).date().isoformat(),
    }
    (out / "finder.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


def samples(steps: int, plan: Plan) -> int:
    """How many pictures so many steps have seen: every fourth batch is wide views."""
    wide = steps // 4
    return (steps - wide) * plan.parts + wide * plan.views


if __name__ == "__main__":
    main()
