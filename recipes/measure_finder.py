"""Figures of the damage finder on held-out portraits: `python -m recipes.measure_finder --portraits DIR`.

Prints IoU, precision and recall by kind and content of the damage, how well the confidence foretells the IoU, and how
often something is found where nothing is. Settings are those of params.yaml; everything is seeded.
"""

import argparse
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from models.detector import FaceDetector
from models.finder import Finder
from models.images import Image
from pipeline.config import RestoreParams, load_params
from pipeline.damage.content import CONTENTS
from pipeline.damage.draw import HOLE_KINDS
from pipeline.damage.print_look import scanned, toned
from pipeline.find_damage import propose_mask
from pipeline.layout import ASSETS
from pipeline.reading import Limits
from pipeline.restoration import Detector
from recipes.finder_data import SCRATCH_CONTENTS, Example, measured_example, read_split

COVERAGE = (0.03, 0.5)
ALARM = 0.005
"""A mask of more than this share of an intact picture is a false alarm."""


@dataclass(frozen=True)
class Case:
    """A damaged picture with the damage's kind and content."""

    example: Example
    kind: str
    content: str


@dataclass(frozen=True)
class Score:
    """One case as the product treats it: `iou` and `recall` are 0 and `precision` is NaN where nothing was found."""

    kind: str
    content: str
    iou: float
    precision: float
    recall: float
    confidence: float
    accepted: bool


def examples(portraits: Sequence[Image], seed: int, rounds: int = 1) -> Iterator[Case]:
    """Every portrait with one piece of damage a round; all pairs of kind and content come equally often."""
    rng = np.random.default_rng(seed)
    pairs = [(kind, content) for kind in HOLE_KINDS for content in CONTENTS]
    order: list[int] = []
    for portrait in list(portraits) * rounds:
        order = order or rng.permutation(len(pairs)).tolist()
        kind, content = pairs[order.pop()]
        shown = str(rng.choice(SCRATCH_CONTENTS)) if kind == "scratch" else content
        yield Case(measured_example(rng, portrait, kind, shown, rng.uniform(*COVERAGE)), kind, shown)


def scored(case: Case, finder: Finder, detector: Detector, params: RestoreParams) -> Score:
    """The proposed mask against the damage, over the pixels whose damage can be seen."""
    proposal = propose_mask(case.example.image, finder, detector, params)
    judged, damaged = case.example.judged, case.example.damaged
    mask, truth = proposal.mask[judged], damaged[judged]
    common, union = int((mask & truth).sum()), int((mask | truth).sum())
    return Score(
        kind=case.kind,
        content=case.content,
        iou=common / max(union, 1),
        precision=common / int(mask.sum()) if mask.any() else float("nan"),
        recall=common / max(int(truth.sum()), 1),
        confidence=0.0 if proposal.confidence is None else proposal.confidence,
        accepted=not proposal.doubt,
    )


def summary(scores: Sequence[Score]) -> dict[str, float]:
    """Means over cases; `precision` over those with a mask."""
    return {
        "n": len(scores),
        "iou": float(np.mean([score.iou for score in scores])),
        "precision": float(np.nanmean([score.precision for score in scores])),
        "recall": float(np.mean([score.recall for score in scores])),
        "accepted": float(np.mean([score.accepted for score in scores])),
    }


def calibration(scores: Sequence[Score]) -> dict[str, float]:
    """How the confidence of masks that were found compares with their IoU."""
    found = [score for score in scores if score.confidence > 0]
    confidence, iou = np.array([s.confidence for s in found]), np.array([s.iou for s in found])
    return {
        "mean_confidence": float(confidence.mean()),
        "mean_iou": float(iou.mean()),
        "mean_absolute_difference": float(np.abs(confidence - iou).mean()),
        "correlation": float(np.corrcoef(confidence, iou)[0, 1]),
    }


def false_alarms(
    pictures: Sequence[Image], finder: Finder, detector: Detector, params: RestoreParams
) -> dict[str, float]:
    """Share of intact pictures with a proposal, and with an accepted mask, of more than 0.5 % of their area."""
    proposals = [propose_mask(picture, finder, detector, params) for picture in pictures]
    large = [proposal for proposal in proposals if proposal.mask.mean() > ALARM]
    accepted = [proposal for proposal in large if not proposal.doubt]
    return {"n": len(pictures), "proposed": len(large) / len(pictures), "accepted": len(accepted) / len(pictures)}


def measure(portraits: Sequence[Image], finder: Finder, params: RestoreParams, rounds: int) -> dict[str, Any]:
    """All figures on one split."""
    detector = FaceDetector(params.min_detector_score)
    scores = [scored(case, finder, detector, params) for case in examples(portraits, seed=2, rounds=rounds)]
    rng = np.random.default_rng(3)
    reprinted = [scanned(rng, toned(rng, portrait)) for portrait in portraits]
    return {
        "all": summary(scores),
        "kind": _by(scores, HOLE_KINDS, lambda score: score.kind),
        "content": _by(scores, CONTENTS, lambda score: score.content),
        "confidence": calibration(scores),
        "intact": false_alarms(portraits, finder, detector, params),
        "intact_reprinted": false_alarms(reprinted, finder, detector, params),
    }


def _by(scores: Sequence[Score], names: Iterable[str], key: Callable[[Score], str]) -> dict[str, dict[str, float]]:
    return {name: summary([score for score in scores if key(score) == name]) for name in names}


def _show(figures: dict[str, Any]) -> None:
    print("| damage | n | IoU | precision | recall | accepted |\n|---|---|---|---|---|---|")
    for name, row in {"all": figures["all"], **figures["kind"], **figures["content"]}.items():
        cells = " | ".join(f"{row[column]:.2f}" for column in ("iou", "precision", "recall", "accepted"))
        print(f"| {name} | {row['n']} | {cells} |")
    for name in ("confidence", "intact", "intact_reprinted"):
        print(name, {key: round(value, 3) for key, value in figures[name].items()})


def main() -> None:
    """Measure the shipped finder and print; with --write, keep the figures on its card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--portraits", type=Path, required=True)
    parser.add_argument("--split", choices=["validation", "test"], default="test")
    parser.add_argument("--rounds", type=int, default=2, help="pieces of damage for each portrait")
    parser.add_argument("--write", action="store_true", help="keep the figures in assets/finder.json")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    params = load_params(Path("params.yaml"))
    portraits = read_split(arguments.portraits, Limits.of(params.ingest))[arguments.split]
    finder = Finder.load(ASSETS / "finder.safetensors")
    figures = measure(portraits, finder, params.restore, arguments.rounds)
    _show(figures)
    if arguments.write:
        card = json.loads((ASSETS / "finder.json").read_text(encoding="utf-8"))
        card["figures"] = {"split": arguments.split, **figures}
        (ASSETS / "finder.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
