"""Requests restored in several processes give the rows that one process gives, in the same order."""

from datetime import UTC, datetime, timedelta
from itertools import count

import numpy as np
import pandas as pd
import pytest
from torch import Tensor

from models.errors import WeightsError
from monitoring.champion import Champion, current_champion
from monitoring.log.rows import frame
from monitoring.simulation.simulate import Clock, serve
from pipeline.config.load import Params
from pipeline.project.paths import Paths

pytestmark = [pytest.mark.filterwarnings("ignore::DeprecationWarning"), pytest.mark.slow]

START = datetime(2026, 3, 2, tzinfo=UTC)
MEASURED_ANEW = ["milliseconds", "cpu_seconds", "verification_cpu_seconds"]
REQUESTS = 6

Faces = list[tuple[str, Tensor]]


def clock() -> Clock:
    seconds = count()
    return lambda: START + timedelta(seconds=next(seconds))


def served(params: Params, paths: Paths, champion: Champion, workers: int) -> tuple[pd.DataFrame, Faces]:
    """The rows, and the faces that were observed."""
    changes = {
        "fresh_people": False, "workers": workers, "known_originals": 1.0, "requests": REQUESTS, "seed": 4,
    }  # fmt: skip
    traffic, faces = params.simulate.model_copy(update=changes), Faces()
    batches = serve(
        params, paths, champion, traffic, params.masks, clock=clock(), run="run",
        observe=lambda name, face: faces.append((name, face)),
    )  # fmt: skip
    return frame(row for batch in batches for row in batch).drop(columns=MEASURED_ANEW), faces


def test_rows_and_faces_are_those_of_one_process(
    params: Params, staffed: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitoring.simulation.workers._AT_ONCE", REQUESTS // 2)  # a batch for each process
    champion = current_champion(params, staffed, now=START)
    alone, faces_alone = served(params, staffed, champion, 1)
    together, faces_together = served(params, staffed, champion, 2)
    assert list(together["request_id"]) == [f"run-{number:06d}" for number in range(REQUESTS)]
    assert together["time"].is_monotonic_increasing
    pd.testing.assert_frame_equal(alone, together, rtol=1e-3, atol=1e-4)  # sums in another order
    assert [name for name, _ in faces_alone] == [name for name, _ in faces_together]
    assert len(faces_alone) >= REQUESTS
    for (_, first), (_, second) in zip(faces_alone, faces_together, strict=True):
        np.testing.assert_allclose(first.numpy(), second.numpy(), atol=1e-3)


def test_what_a_worker_meets_is_raised_here(params: Params, staffed: Paths) -> None:
    missing = Champion("9", staffed.root / "gone.safetensors", None)
    with pytest.raises(WeightsError, match=r"gone\.safetensors"):
        served(params, staffed, missing, 2)
