"""Promote from eight processes at once through one MLflow server, each time another version.

A promotion tells who is champion now and who was before it. Where none is lost, those that were made follow one another
from the first champion to the last, without a gap.
"""

import multiprocessing
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path

from mlflow import MlflowClient

from models.errors import LikenessError
from pipeline.project.paths import Paths
from pipeline.registry.alias_moves import journal_file
from pipeline.registry.promotion import Promotion, promote
from pipeline.registry.versions import Standing, standing_of
from scripts.faults.drill import Drill
from scripts.faults.registry_site import NAME, Site, registry_site
from scripts.finding import Finding, counted

FIRST = "1"
_PROCESSES, _OF_EACH_TRIAL = 8, 10
"""Processes, and promotions for each trial of the drill."""
_SECONDS = 900.0


@dataclass(frozen=True)
class Outcome:
    """What came of one promotion: it was made, or `refused` in words of the project, or `else_` came of it."""

    made: Promotion | None = None
    refused: str = ""
    else_: str = ""


def promote_at_once(drill: Drill) -> Finding:
    """Promote each version but the first once."""
    number = drill.trials * _OF_EACH_TRIAL
    with registry_site(drill.work / "crowd", versions=number + 1, weights=1) as site:
        outcomes = _outcomes(site, [str(version) for version in range(2, number + 2)])
        made = [outcome.made for outcome in outcomes if outcome.made is not None]
        refused = Counter(outcome.refused for outcome in outcomes if outcome.refused)
        misses = [outcome.else_ for outcome in outcomes if outcome.else_]
        client = MlflowClient(site.server.address)
        misses += gaps(made, standing_of(client, NAME)) + _untrue_times(client, made)
        misses += ["a journal is left"] if journal_file(site.paths).exists() else []
    claim = f"{number} promotions by {_PROCESSES} processes at once over HTTP: {len(made)} made"
    claim += "".join(f", {count} refused as {name}" for name, count in refused.items())
    return counted(claim, "one champion, those made follow one another, all others refused in words", misses, number)


def gaps(made: Sequence[Promotion], standing: Standing) -> list[str]:
    """Tell where promotions do not follow one another from the first champion to the one that stands."""
    after = {one.previous: one.champion for one in made}
    order = [FIRST]
    while order[-1] in after:
        order.append(after.pop(order[-1]))
    found = [f"{len(made)} made, {len(order) - 1} of them follow one another"] if len(order) <= len(made) else []
    expected = {"champion": order[-1], **({"previous": order[-2]} if len(order) > 1 else {})}
    whole = dict(standing.aliases) == expected and dict(standing.record).items() >= expected.items()
    return [*found, *([] if whole else [f"{standing}, not {expected}"])]


def _untrue_times(client: MlflowClient, made: Sequence[Promotion]) -> list[str]:
    """Tell which versions carry the time of a promotion that was not made, or lack that of one that was."""
    promoted = {FIRST, *(one.champion for one in made)}
    tagged = {
        str(version.version)
        for version in client.search_model_versions(f"name = '{NAME}'")
        if "promoted_at" in version.tags
    }
    return [f"version {version}: a time of promotion that is not true" for version in sorted(tagged ^ promoted)]


def _outcomes(site: Site, versions: Sequence[str]) -> list[Outcome]:
    """Share the versions among processes that start at once."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["mlflow", __name__])
    answers: Queue[list[Outcome]] = context.Queue()
    together = context.Barrier(_PROCESSES)
    shares = [versions[number::_PROCESSES] for number in range(_PROCESSES)]
    processes = [
        context.Process(target=promote_each, args=(site.paths.root, site.server.address, share, together, answers))
        for share in shares
    ]
    for process in processes:
        process.start()
    outcomes = [outcome for _ in processes for outcome in answers.get(timeout=_SECONDS)]
    for process in processes:
        process.join()
    return outcomes


def promote_each(
    root: Path, registry: str, versions: Sequence[str], together: Barrier, answers: "Queue[list[Outcome]]"
) -> None:
    """Promote one version after the other, and tell what came of each."""
    os.environ["LIKENESS_MLFLOW_URI"] = registry  # the process that this one is a copy of may be older
    together.wait(_SECONDS)
    answers.put([_promoted(Paths(root), version) for version in versions])


def _promoted(paths: Paths, version: str) -> Outcome:
    try:
        return Outcome(made=promote(paths, NAME, version))
    except LikenessError as error:
        return Outcome(refused=type(error).__name__)
    except Exception as error:  # noqa: BLE001 - what else a promotion may raise is what is measured
        return Outcome(else_=f"version {version}: {error!r}"[:200])
