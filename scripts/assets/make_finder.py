"""Train the damage finder that ships: `make finder PORTRAITS=DIR PRINTS=DIR`. Resumes where it was stopped.

PORTRAITS holds folders of portraits (`scripts.assets.finder.sources.FOLDERS`), PRINTS old prints. The last fifth of
each folder, by name, is left out for the figures; the 7 % before it calibrate. Writes assets/finder.safetensors
(float16), curves and card. `--only` does a part of it: two cores train the two networks side by side, and `--only
calibration` ships a training that is still going on.
"""

import argparse
import json
import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from models.assets import ASSETS
from models.damage_finder.finder import Finder
from models.damage_finder.network import FinderNetwork
from models.errors import ConfigError
from models.weight_files import weights_sha256
from pipeline.config.load import load_params
from pipeline.image_io.outcome import Limits
from pipeline.project.process import quieten
from scripts.assets.finder.calibration import calibrate
from scripts.assets.finder.sources import Sources, read_sources
from scripts.assets.finder.training import Plan, averaged, load_checkpoint, steps_done, train
from scripts.one_thread import use_one_thread

CYCLES = (5600, 2400)
"""Steps of the network for parts."""
WHOLE_CYCLES = (5000,)
"""Steps of the network for whole prints, which begins with the weights of the other."""
LATER = 0.5
"""Share of the weights that were learnt on, in the average with those that they began with."""


def main() -> None:
    """Train, calibrate, write weights, curves and the card's figures of making."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--portraits", type=Path, required=True, help="folder of folders of portraits")
    parser.add_argument("--prints", type=Path, help="folder of old prints")
    parser.add_argument("--work", type=Path, default=Path("build/finder"), help="checkpoints and curves")
    parser.add_argument("--cycles", type=int, nargs="+", default=CYCLES, help="steps of each, for parts")
    parser.add_argument("--whole-cycles", type=int, nargs="+", default=WHOLE_CYCLES, help="the same, for whole prints")
    parser.add_argument("--start-from", type=Path, help="begin with the weights of this finder, at a lower rate")
    parser.add_argument("--later", type=float, default=LATER, help="share of what was learnt on, in the average")
    parser.add_argument("--threshold", type=float, help="probability of a piece's pixels when its confidence is fitted")
    parser.add_argument("--only", choices=["parts", "whole", "calibration"], help="do this alone")
    parser.add_argument("--without", nargs="*", default=(), help="damaged prints of PRINTS to leave out, for a test")
    parser.add_argument("--out", type=Path, default=ASSETS)
    arguments = parser.parse_args()
    quieten()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    use_one_thread()
    params = load_params(Path("params.yaml"))
    limits = Limits.of(params.ingest)
    earlier = Finder.load(arguments.start_from) if arguments.start_from else None
    plans = Plans(
        parts_plan(tuple(arguments.cycles), legs_of("parts", arguments.start_from)),
        whole_plan(tuple(arguments.whole_cycles), legs_of("whole", arguments.start_from)),
    )
    if arguments.only != "calibration":
        sources = read_sources(arguments.portraits, arguments.prints, "train", limits, arguments.without)
        train_networks(sources, plans, arguments.work, arguments.only, earlier)
    if arguments.only in (None, "calibration"):
        held_out = read_sources(arguments.portraits, None, "validation", limits)
        parts, whole = networks(plans, arguments.work, earlier, arguments.later)
        ship(
            calibrate(parts, whole, held_out, arguments.threshold or params.restore.finder.threshold),
            plans,
            arguments.work,
            arguments.start_from,
            arguments.out,
            arguments.later,
            arguments.without,
        )


@dataclass(frozen=True)
class Plans:
    """How the two networks are trained."""

    parts: Plan
    whole: Plan


def legs_of(name: str, finder: Path | None) -> int:
    """How many trainings a network of a finder has gone through, by the finder's card; none without a finder."""
    if finder is None:
        return 0
    return len(json.loads(finder.with_suffix(".json").read_text(encoding="utf-8"))[name]["legs"])


def parts_plan(cycles: tuple[int, ...], legs: int) -> Plan:
    """How the network for parts is trained, or learns on after so many trainings; each draws other prints."""
    rate = 1.0 if legs == 0 else 0.4
    return Plan(cycles, seed=11 + 2 * legs, kernel_rate=0.03 * rate, other_rate=0.003 * rate)


def whole_plan(cycles: tuple[int, ...], legs: int) -> Plan:
    """How the network for whole prints is trained, or learns on after so many trainings."""
    return Plan(
        cycles,
        seed=12 + 2 * legs,
        kernel_rate=0.006,
        other_rate=0.0006,
        part=320,
        parts=5,
        view=448,
        views=2,
        whole=True,
    )


def train_networks(sources: Sources, plans: Plans, work: Path, only: str | None, earlier: Finder | None) -> None:
    """Train the network for parts, then that for whole prints, or one of them; anew, or from those of a finder."""
    if only in (None, "parts"):
        train(sources, plans.parts, work / "parts", earlier.parts.network if earlier else None)
    if only in (None, "whole"):
        begin = earlier.whole.network if earlier else load_checkpoint(work / "parts", plans.parts.width)
        train(sources, plans.whole, work / "whole", begin)


def networks(plans: Plans, work: Path, earlier: Finder | None, later: float) -> tuple[FinderNetwork, FinderNetwork]:
    """Give both networks as far as they were trained; one that learnt on is averaged with the one it began with.

    What was not trained in `work` is that of the earlier finder. `later`: share of the weights after, 0..1 (Wortsman et
    al. 2022, "Robust fine-tuning of zero-shot models"); `scripts.benchmarks.finder_weights` compares them.

    Raises:
        ConfigError: a network was trained for longer than the plan says.
    """
    found = []
    for name in ("parts", "whole"):
        begun = getattr(earlier, name).network if earlier else None
        if begun is not None and not (work / name).is_dir():
            found.append(begun)
            continue
        _check_cycles(getattr(plans, name), work / name)
        trained = load_checkpoint(work / name, plans.parts.width)
        found.append(trained if begun is None else averaged(begun, trained, later))
    return found[0], found[1]


def _check_cycles(plan: Plan, folder: Path) -> None:
    """Refuse a plan that is not the one a network was trained by: the card would tell of another training."""
    done, planned = steps_done(folder), sum(plan.cycles)
    if done > planned:
        raise ConfigError(f"at most {planned} steps, as planned", f"{done} in {folder}", "give the training's --cycles")


def ship(
    finder: Finder,
    plans: Plans,
    work: Path,
    start_from: Path | None,
    out: Path,
    later: float = LATER,
    without: Collection[str] = (),
) -> None:
    """Write weights, curves, and what the card must say about their making, with that of the finder begun with."""
    earlier = json.loads(start_from.with_suffix(".json").read_text(encoding="utf-8")) if start_from else {}
    target = out / "finder.safetensors"
    finder.save(target)
    card: dict[str, Any] = {"sha256": weights_sha256(target), "recipe": "make finder PORTRAITS=DIR PRINTS=DIR"}
    for name, plan, one in (("parts", plans.parts, finder.parts), ("whole", plans.whole, finder.whole)):
        legs = earlier[name]["legs"] if start_from else []
        if (work / name).is_dir():
            steps = steps_done(work / name)
            leg = {"plan": vars(plan), "steps": steps, "samples": samples(steps, plan)}
            legs = [*legs, leg | ({"later": later} if start_from else {}) | ({"without": without} if without else {})]
        _write_curves(work / name / "curves.csv", start_from, out / f"finder_{name}_curves.csv")
        card[name] = {
            "legs": legs,
            "parameters": sum(weight.numel() for weight in one.network.parameters()),
            "slope": one.slope,
            "offset": one.offset,
        }
    card["made"] = datetime.now(UTC).date().isoformat()
    (out / "finder.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


def _write_curves(curves: Path, start_from: Path | None, target: Path) -> None:
    """Write the curves of a leg, if there is one, below those of the legs before, with one head."""
    lines = curves.read_text(encoding="utf-8").splitlines(keepends=True) if curves.is_file() else []
    before = start_from.with_name(target.name).read_text(encoding="utf-8") if start_from else lines[0]
    target.write_text(before + "".join(lines[1:]), encoding="utf-8")


def samples(steps: int, plan: Plan) -> int:
    """How many pictures so many steps have seen: every fourth batch is wide views."""
    wide = steps // 4
    return (steps - wide) * plan.parts + wide * plan.views


if __name__ == "__main__":
    main()
