"""The path to champion: is a version that passed the gate promoted at once, or does it first meet the champion live?"""

from datetime import UTC, datetime
from pathlib import Path

from monitoring.ab.experiment import experiment_id, running
from monitoring.ab.verdict import AbVerdict, judge
from monitoring.watch import verdict_of
from pipeline.config import load_params
from pipeline.layout import Paths
from pipeline.versions import SHIPPED, champion_version, untouched

STUDY = "user study"
"""What decides about a version that needs a study and meets nobody live."""


def held_back(root: Path, window_id: str) -> bool:
    """Whether a cycle that a window of the watch asks for has to wait: an A/B test is on.

    Its challenger was trained for the drift that the champion still suffers from, so every window would ask again, and
    each new challenger would end the test of the last. The window stays unclaimed: it starts its cycle if the champion
    stays, and is dropped with the champion if it goes. Cycles by hand and by schedule do not wait.
    """
    paths = Paths(root)
    if not window_id or untouched(paths):
        return False
    return running(load_params(paths.params), paths) is not None


def outdated(root: Path, window_id: str) -> bool:
    """Whether a window of the watch was judged under a champion that has gone, as while its cycle had to queue.

    The watch drops such a window too: its drift was measured on a model that serves no more.
    """
    paths = Paths(root)
    verdict = verdict_of(paths, window_id) if window_id else None
    name = load_params(paths.params).registry.model_name
    return verdict is not None and verdict.champion != champion_version(paths, name)


def trial_under_way(root: Path) -> AbVerdict:
    """How the test that is on stands, before a new challenger ends it."""
    paths = Paths(root)
    return judge(load_params(paths.params), paths, now=datetime.now(UTC))


def trial_ahead(root: Path, version: str) -> str:
    """Id of the A/B test that decides about `version`, or `STUDY`; "" where it is to be promoted at once.

    The first version is, if no user study has to say so: the shipped model was never promoted here and is no standard
    of production's, and the gate has already compared the two on the same portraits.
    """
    paths = Paths(root)
    params = load_params(paths.params)
    champion = champion_version(paths, params.registry.model_name)
    if params.ab.enabled and champion != SHIPPED:
        return experiment_id(champion, version)
    return STUDY if params.study.counts_in_gate else ""
