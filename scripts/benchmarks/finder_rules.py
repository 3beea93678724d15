"""Compare rules of the damage finder (`restore.finder` in params.yaml) on real prints and intact pictures.

`python -m scripts.benchmarks.finder_rules --portraits DIR --prints DIR --try sure=0.6 --try sure=0.6,certain=0.9`.
Every picture is searched once; the rules of params.yaml and each of those to try are applied to what was found. Intact
pictures are made of the validation split, since rules may be chosen on it. A second table, by which `net` is chosen,
gives the length of sure lines on every damaged print, and the longest of intact pictures.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.assets import ASSETS
from models.damage_finder.damage_map import DamageMap
from models.damage_finder.finder import Finder
from models.damage_finder.pieces import find_pieces
from models.face.detector import Face, FaceDetector
from models.images import Image
from models.runtime.budget import UNLIMITED, Budget
from pipeline.config.load import load_params
from pipeline.config.restore import FinderParams
from pipeline.image_io.outcome import Limits
from pipeline.image_io.write import read_picture
from restoration.find_damage import FoundDamage, find_damage, net_length
from restoration.types import Detector
from scripts.assets.finder.hand_drawn import Print, read_prints
from scripts.assets.finder.sources import read_sources
from scripts.benchmarks.measure_finder import intact_old_prints, intact_prints
from scripts.benchmarks.real_prints import TOLERANCE, crack_recall, intact_share
from scripts.one_thread import use_one_thread

INTACT, SEED = 200, 33
SURE = (0.5, 0.6, 0.7, 0.8, 0.9)
"""Confidences for which the lengths of lines are given."""


@dataclass(frozen=True, eq=False)
class Searched(Finder):
    """A finder that gives for one picture what was found in it before."""

    found: DamageMap

    def search(self, image: Image, budget: Budget = UNLIMITED) -> DamageMap:  # noqa: ARG002 - always the same picture
        """Give what was found."""
        return self.found


class RememberedFaces:
    """A detector that searches each picture once."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._faces: dict[int, list[Face]] = {}

    def detect(self, image: Image) -> list[Face]:
        """Give the faces of (H, W, 3), best first."""
        key = hash(image.tobytes())
        if key not in self._faces:
            self._faces[key] = self._detector.detect(image)
        return self._faces[key]


@dataclass(frozen=True, eq=False)
class Case:
    """One picture that was searched, with the hand-drawn truth if there is any."""

    image: Image
    finder: Searched
    detector: RememberedFaces
    truth: Print | None

    def by(self, rules: FinderParams) -> FoundDamage:
        """Apply rules to what was found."""
        return find_damage(self.image, self.finder, self.detector, rules)

    def net_length(self, rules: FinderParams, sure: float) -> float:
        """Length of its lines of at least `sure`, in long sides."""
        return net_length(find_pieces(self.finder.found, rules.threshold, self.finder.confidence), sure)


def searched(image: Image, finder: Finder, detector: Detector, truth: Print | None = None) -> Case:
    """Search a picture (H, W, 3)."""
    found = Searched(finder.parts, finder.whole, finder.confidence, finder.search(image))
    return Case(image, found, RememberedFaces(detector), truth)


def table(cases: Sequence[Case], tried: dict[str, FinderParams]) -> Iterator[str]:
    """A row per rule: cracks used / used or proposed, and details masked, of each print; intact pictures touched."""
    damaged = [case for case in cases if case.truth is not None and case.truth.cracks]
    intact = [case for case in cases if case.truth is None or not case.truth.cracks]
    names = [case.truth.file for case in damaged if case.truth is not None]
    yield f"| rules | {' | '.join(names)} | intact with anything | largest share |"
    yield "|---" * (len(names) + 3) + "|"
    for name, rules in tried.items():
        cells = [_cell(case, rules) for case in damaged]
        areas = [float(case.by(rules).sure.mean()) for case in intact]
        touched = sum(area > 0 for area in areas)
        yield f"| {name} | {' | '.join(cells)} | {touched} of {len(areas)} | {max(areas):.2%} |"


def lengths(cases: Sequence[Case], rules: FinderParams, sure: Sequence[float]) -> Iterator[str]:
    """A row per confidence: length of such lines, in long sides, on each damaged print; the three longest intact."""
    damaged = [case for case in cases if case.truth is not None and case.truth.cracks]
    intact = [case for case in cases if case.truth is None or not case.truth.cracks]
    yield f"| sure | {' | '.join(case.truth.file for case in damaged if case.truth is not None)} | intact, longest |"
    yield "|---" * (len(damaged) + 2) + "|"
    for least in sure:
        longest = sorted((case.net_length(rules, least) for case in intact), reverse=True)[:3]
        cells = [f"{case.net_length(rules, least):.2f}" for case in damaged]
        yield f"| {least} | {' | '.join(cells)} | {', '.join(f'{length:.2f}' for length in longest)} |"


def _cell(case: Case, rules: FinderParams) -> str:
    assert case.truth is not None  # a damaged print has one
    found, tolerance = case.by(rules), TOLERANCE * max(case.truth.size)
    used, likely = (crack_recall(m, case.truth.cracks, tolerance) for m in (found.sure, found.sure | found.doubtful))
    return f"{used:.1%} / {likely:.1%}, {intact_share(found.sure, case.truth.intact):.2%}"


def parse_rules(base: FinderParams, text: str) -> FinderParams:
    """Change rules by `sure=0.6,certain=0.9`."""
    changes = dict(part.split("=") for part in text.split(",") if part)
    return FinderParams.model_validate(base.model_dump() | {name: float(value) for name, value in changes.items()})


def main() -> None:
    """Search, apply, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--portraits", type=Path, required=True)
    parser.add_argument("--prints", type=Path, required=True)
    parser.add_argument("--weights", type=Path, default=ASSETS / "finder.safetensors")
    parser.add_argument("--try", dest="tried", action="append", default=[], help="rules that differ from params.yaml")
    arguments = parser.parse_args()
    use_one_thread()
    params = load_params(Path("params.yaml"))
    limits, rules = Limits.of(params.ingest), params.restore.finder
    tried = {"params.yaml": rules} | {text: parse_rules(rules, text) for text in arguments.tried}
    finder, detector = Finder.load(arguments.weights), FaceDetector(params.restore.min_detector_score)
    truths = read_prints()
    others = [file for file in intact_old_prints(arguments.prints) if file.name not in {one.file for one in truths}]
    cases = [searched(read_picture(arguments.prints / one.file, limits), finder, detector, one) for one in truths]
    cases += [searched(read_picture(file, limits), finder, detector) for file in others]
    people = read_sources(arguments.portraits, None, "validation", limits).portraits
    cases += [searched(picture, finder, detector) for picture in intact_prints(people, INTACT, SEED)]
    print("\n".join([*table(cases, tried), "", *lengths(cases, rules, SURE)]))


if __name__ == "__main__":
    main()
