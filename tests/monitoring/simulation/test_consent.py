"""Portraits that simulated people let us keep come into the training split of the next ingest."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from models.images import Image
from monitoring.simulation.consent import BASIS, keep_portraits
from monitoring.simulation.people import fresh_sitters
from pipeline.config.load import Params
from pipeline.consent.records import read_records, store_of
from pipeline.image_io.outcome import Accepted, Limits
from pipeline.project.paths import Paths
from pipeline.sources.production import portraits
from tests.monitoring.simulation.test_people import within

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def test_they_are_kept_with_their_consent_and_come_in(params: Params, tmp_path: Path) -> None:
    paths, adults = Paths(tmp_path), within(params, (-10.0, 0.4))
    assert keep_portraits(adults, paths, 3, 9, NOW) == 3
    store = store_of(paths, params.keep)
    assert {(record.basis, record.time) for record in read_records(store)} == {(BASIS, NOW)}
    items = list(portraits(store, Limits.of(params.ingest), NOW))
    assert len({item.identity for item in items}) == 3
    assert {item.split for item in items} == {"train"}
    simulate = params.simulate.model_copy(update={"seed": 9})
    people = fresh_sitters(adults.model_copy(update={"simulate": simulate}), (0.4, 10.0))
    expected = {one.portrait_id: one.image for one, _ in zip(people, range(3), strict=False)}
    for item in items:
        assert np.array_equal(picture(item.read()), expected[item.identity])


def picture(read: object) -> Image:
    assert isinstance(read, Accepted)
    return read.image
