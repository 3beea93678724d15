"""Trains the damage finder that ships: `make finder PORTRAITS=DIR`. Goes on where it was stopped.

The last fifth of the portraits, by name, is left out for the figures, and the 7 % before it calibrate. Writes
assets/finder.safetensors (float16), its curves and its card.
"""

import argparse
import json
import logging
import shutil
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import torch

from models.finder import Finder
from models.finder_network import FinderNetwork
from models.images import Image
from models.weight_files import weights_sha256
from pipeline.config import load_params
from pipeline.layout import ASSETS
from pipeline.quiet import quieten
from pipeline.reading import Limits
from recipes.finder_data import read_split
from recipes.finder_training import Plan, train
from recipes.measure_finder import examples

TEMPERATURES = np.exp(np.linspace(np.log(0.5), np.log(4.0), 43))


def main() -> None:
    """Train, calibrate, write weights, curves and the card's figures of making."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--portraits", type=Path, required=True, help="folder of portraits, 256 px")
    parser.add_argument("--work", type=Path, default=Path("build/finder"), help="checkpoint and curves")
    parser.add_argument("--cycles", type=int, nargs="+", default=[2000, 1500], help="steps of each")
    parser.add_argument("--out", type=Path, default=ASSETS)
    arguments = parser.parse_args()
    quieten()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    split = read_split(arguments.portraits, Limits.of(load_params(Path("params.yaml")).ingest))
    plan = Plan(tuple(arguments.cycles))
    network = train(split["train"], plan, arguments.work)
    ship(calibrated(network, split["validation"], plan), plan, arguments.work, arguments.out)


def calibrated(network: FinderNetwork, portraits: list[Image], plan: Plan) -> Finder:
    """The finder with the temperature at which the cross-entropy on held-out pictures is least (Guo et al. 2017)."""
    raw = Finder(network, plan.view, 1.0)
    logits, damaged = [], []
    for case in examples(portraits, seed=1):
        probability = np.clip(raw.probability(case.example.image).astype(np.float64), 1e-7, 1 - 1e-7)
        logits.append(np.log(probability / (1 - probability))[case.example.judged])
        damaged.append(case.example.damaged[case.example.judged])
    signed = np.concatenate(logits) * np.where(np.concatenate(damaged), -1, 1)
    entropies = [float(np.logaddexp(0, signed / temperature).mean()) for temperature in TEMPERATURES]
    return Finder(network, plan.view, round(float(TEMPERATURES[int(np.argmin(entropies))]), 3))


def ship(finder: Finder, plan: Plan, work: Path, out: Path) -> None:
    """Weights, curves, and what the card must say about their making."""
    target = out / "finder.safetensors"
    finder.save(target)
    shutil.copyfile(work / "curves.csv", out / "finder_curves.csv")
    card = {
        "sha256": weights_sha256(target),
        "recipe": "make finder PORTRAITS=DIR",
        "plan": vars(plan),
        "parameters": sum(weight.numel() for weight in finder.network.parameters()),
        "temperature": finder.temperature,
        "made": datetime.now(UTC).date().isoformat(),
    }
    (out / "finder.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
