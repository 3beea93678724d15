"""Requests restored in several processes give the rows that one process gives, in the same order."""

from datetime import UTC, datetime, timedelta
from itertools import count

import numpy as np
import pandas as pd
import pytest

from models.errors import WeightsError
from monitoring.champion import Champion, current_champion
from monitoring.drift.identity_space import IdentityAggregate
from monitoring.log.production_log import open_log
from monitoring.log.rows import frame
from monitoring.simulation.simulate import Clock, serve, simulate
from pipeline.config.load import Params
from pipeline.project.paths import Paths

pytestmark = [pytest.mark.filterwarnings("ignore::DeprecationWarning"), pytest.mark.slow]

START = datetime(2026, 3, 2, tzinfo=UTC)
MEASURED_ANEW = ["milliseconds", "cpu_seconds", "verification_cpu_seconds"]


def clock() -> Clock:
    seconds = count()
    return lambda: START + timedelta(seconds=next(seconds))


def with_workers(params: Params, workers: int, min_faces: int = 50) -> Params:
    changes = {"fresh_people": False, "workers": workers, "known_originals": 1.0}
    identity = params.watch.identity.model_copy(update={"min_faces": min_faces})
    return params.model_copy(
        update={
            "simulate": params.simulate.model_copy(update=changes),
            "watch": params.watch.model_copy(update={"identity": identity}),
        }
    )


def served(params: Params, paths: Paths, champion: Champion, requests: int) -> pd.DataFrame:
    traffic = params.simulate.model_copy(update={"requests": requests, "seed": 4})
    return frame(
        row
        for batch in serve(params, paths, champion, traffic, params.masks, clock=clock(), run="run")
        for row in batch
    )


def test_the_rows_are_those_of_one_process(params: Params, staffed: Paths) -> None:
    champion = current_champion(params, staffed, now=START)
    alone = served(with_workers(params, 1), staffed, champion, 20).drop(columns=MEASURED_ANEW)
    together = served(with_workers(params, 2), staffed, champion, 20).drop(columns=MEASURED_ANEW)
    assert list(together["request_id"]) == [f"run-{number:06d}" for number in range(20)]
    assert together["time"].is_monotonic_increasing
    pd.testing.assert_frame_equal(alone, together, rtol=1e-3, atol=1e-4)  # sums in another order


def test_faces_are_added_up_in_the_process_that_logs(params: Params, staffed: Paths) -> None:
    sums = []
    for workers in (1, 2):
        chosen = with_workers(params, workers, min_faces=10)
        simulate(chosen, staffed, requests=20, seed=4, clock=clock())
        with open_log(staffed) as log:
            sums.append([IdentityAggregate.model_validate(entry.body) for entry in log.entries("identity")])
    alone, together = sums[0], sums[1][len(sums[0]) :]
    assert sum(part.n for part in together) >= 10
    first, second = (
        np.average([p.mean for p in parts], axis=0, weights=[p.n for p in parts]) for parts in (alone, together)
    )
    assert sum(p.n for p in alone) == sum(p.n for p in together)
    np.testing.assert_allclose(first, second, atol=1e-3)


def test_what_a_worker_meets_is_raised_here(params: Params, staffed: Paths) -> None:
    missing = Champion("9", staffed.root / "gone.safetensors", None)
    with pytest.raises(WeightsError, match=r"gone\.safetensors"):
        served(with_workers(params, 2), staffed, missing, 8)
