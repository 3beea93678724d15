"""Which restorations wait for a person's look, in which order, and that what is said of them counts for itself."""

import itertools
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from models.region_names import REGIONS, Region
from monitoring.log.production_log import ProductionLog
from monitoring.log.rows import Feedback, LogRow
from monitoring.retraining.recognition import measure_recognition
from monitoring.review import Review, ReviewReason, flagged_for_review, review_reasons
from pipeline.config.serving import ReviewParams
from tests.monitoring.log.logs import opened
from tests.monitoring.traffic import MORNING, row

RULES = ReviewParams(days=30.0, min_identity_risk=0.15, max_similarity=0.6)
UNLIKE: dict[str, Any] = {"recognised": False, "similarity_reference_independent": 0.2}


@pytest.fixture
def log(address: str, tmp_path: Path) -> Iterator[ProductionLog]:
    with opened(address, tmp_path) as made:
        yield made


@pytest.mark.parametrize(
    ("figures", "said", "expected"),
    [
        ({}, None, ()),
        ({"identity_risk": 0.1499}, None, ()),
        ({"identity_risk": 0.15}, None, ("identity_risk",)),
        ({"identity_risk": None, "similarity_plain_independent": None}, None, ()),
        ({"similarity_plain_independent": 0.6}, None, ()),
        ({"similarity_plain_independent": 0.59}, None, ("unlike_plain",)),
        ({"similarity_plain_independent": 0.3, "similarity_reference_independent": 0.9}, None, ()),  # as it should be
        (UNLIKE, None, ("unlike_reference",)),
        ({}, Feedback(recognised=False), ("not_recognised",)),
        ({}, Feedback(preferred="original"), ("original_preferred",)),
        ({}, Feedback(preferred="restored"), ()),
        ({"identity_risk": 0.2}, Feedback(recognised=False, preferred="original"),
         ("not_recognised", "original_preferred", "identity_risk")),
        ({"identity_risk": 0.2} | UNLIKE, Feedback(recognised=True), ()),  # somebody who knows the person says so
        ({"identity_risk": 0.2}, Feedback(recognised=True, preferred="original"), ("original_preferred",)),
        ({"identity_risk": 0.9, "mode": "refuse"}, Feedback(recognised=False), ()),  # nothing was restored
        ({"mode": "unchanged"}, Feedback(recognised=False), ()),
        ({"mode": "fade"}, Feedback(recognised=False), ()),
    ],
)  # fmt: skip
def test_reasons_to_look(figures: dict[str, Any], said: Feedback | None, expected: tuple[ReviewReason, ...]) -> None:
    assert review_reasons(row(0, **figures), said, RULES) == expected


def test_the_gravest_come_first_whatever_the_order_they_are_read_in() -> None:
    kept: list[tuple[LogRow, Feedback | None]] = [
        (row(0, identity_risk=0.2), Feedback(recognised=False)),
        (row(1), Feedback(recognised=False)),
        (row(2, **UNLIKE), None),
        (row(3), Feedback(preferred="original")),
        (row(4, identity_risk=0.16, similarity_plain_independent=0.4), None),
        (row(5, identity_risk=0.3), None),
        (row(6, identity_risk=0.2), None),
        (row(7, similarity_plain_independent=0.1), None),
        (row(8), None),
    ]
    for start in range(len(kept)):
        order = [*kept[start:], *kept[:start]]
        found = flagged_for_review(order, RULES, 50, lambda _: True)
        assert [waiting.row.request_id for waiting in found] == [f"r-{number}" for number in range(8)]
        assert flagged_for_review(order, RULES, 3, lambda _: True) == found[:3]
        gone = flagged_for_review(order, RULES, 3, lambda kept_row: kept_row.request_id not in ("r-0", "r-2"))
        assert [waiting.row.request_id for waiting in gone] == ["r-1", "r-3", "r-4"]


def test_however_many_there_are_few_are_held_and_asked_for() -> None:
    rows = [row(number, identity_risk=0.2 + number / 10_000) for number in range(1000)]
    asked: list[str] = []

    def still_there(kept_row: LogRow) -> bool:
        asked.append(kept_row.request_id)
        return True

    found = flagged_for_review(((one, None) for one in reversed(rows)), RULES, 5, still_there)
    assert [waiting.row for waiting in found] == rows[:-6:-1]
    assert len(asked) == 5  # those that come after are no more worrying: their pictures need not be looked for


def test_the_log_gives_what_was_kept_and_nobody_reviewed(log: ProductionLog) -> None:
    log.append([row(number) for number in range(6)])
    for number, days in ((0, 0), (1, 2), (2, 2), (3, 2), (4, 2)):
        log.record("keeping", f"r-{number}", {"references": 0}, MORNING + timedelta(days=days))
    log.record("keeping", "r-9", {}, MORNING + timedelta(days=2))  # whose row was never written
    log.record("review", "r-3", Review(same_person=None).model_dump(), MORNING)
    log.record("look", "r-4", {"by": "ab12"}, MORNING)  # a look is no verdict
    log.feedback("r-2", Feedback(recognised=True), MORNING)
    log.feedback("r-2", Feedback(recognised=False), MORNING)  # the latest counts
    found = {one.request_id: said for one, said in log.unreviewed(MORNING + timedelta(days=1))}
    assert found == {"r-1": None, "r-2": Feedback(recognised=False), "r-4": None}
    assert {one.request_id for one, _ in log.unreviewed(MORNING)} == {"r-0", "r-1", "r-2", "r-4"}
    assert [log.has("keeping", key) for key in ("r-1", "r-5")] == [True, False]
    assert log.verify().whole


def test_reviews_do_not_move_recognition_accuracy(log: ProductionLog) -> None:
    log.append([row(0, recognised=True), row(1, recognised=None), row(2, recognised=False)])
    before = measure_recognition(log.after(0), at_least=0.8, error=0.05)
    for number, same in itertools.product(range(3), (True, False, None)):
        log.record("review", f"r-{number}", Review(same_person=same).model_dump(), MORNING)
    assert measure_recognition(log.after(0), at_least=0.8, error=0.05) == before
    assert (before.recognised, before.judged) == (1, 2)


@given(st.lists(st.sampled_from(REGIONS)))
def test_each_region_counts_once(regions: list[Region]) -> None:
    found = Review(same_person=True, invented=tuple(regions)).invented
    assert sorted(found) == sorted(set(regions))
    assert list(found) == sorted(found, key=REGIONS.index)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{}", "same_person"),
        ('{"same_person": true, "invented": ["ear"]}', "'left_eye', 'right_eye'"),
        ('{"same_person": false, "note": "It is Ann Example"}', "Extra inputs are not permitted"),
        ('{"same_person": "maybe"}', "valid boolean"),
    ],
)
def test_what_is_no_review_is_refused(text: str, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Review.model_validate_json(text)
