"""Answers survive crashes, several writers and double submits; raters are strangers."""

import json
import multiprocessing
from pathlib import Path

import pytest

from models.errors import DataError
from monitoring.user_study.schema import Answer, Study
from monitoring.user_study.store import StudyStore, open_study, pseudonym
from pipeline.project.paths import Paths
from tests.monitoring.user_study.site import NOW, lay_out, study


@pytest.fixture
def store(tmp_path: Path) -> StudyStore:
    return lay_out(study(), tmp_path / "study")


def answer(rater: str, item: int, choice: str = "left") -> Answer:
    return Answer.model_validate(
        {"rater": rater, "item": item, "choice": choice, "marks": (), "milliseconds": 900, "time": NOW}
    )


def joined(store: StudyStore) -> str:
    secret = store.join(NOW)
    assert secret is not None
    return pseudonym(secret)


def test_a_rater_is_a_number_behind_a_secret_that_is_kept_nowhere(store: StudyStore) -> None:
    first, second = store.join(NOW), store.join(NOW)
    assert first is not None
    assert second is not None
    assert (store.number(pseudonym(first)), store.number(pseudonym(second))) == (0, 1)
    assert store.number("stranger") is None
    assert first not in (store.folder / "answers.jsonl").read_text()


def test_the_first_answer_stands_and_all_are_there_again_after_a_restart(store: StudyStore) -> None:
    rater = joined(store)
    assert store.answer(answer(rater, 0, "left"))
    assert not store.answer(answer(rater, 0, "right"))
    assert store.answer(answer(rater, 1, "right"))
    again = StudyStore(store.folder)
    assert [(a.item, a.choice) for a in again.answers()] == [(0, "left"), (1, "right")]
    assert again.answered(rater) == {0, 1}


def test_two_servers_see_each_other(store: StudyStore) -> None:
    other = StudyStore(store.folder)
    rater = joined(store)
    assert other.number(rater) == 0
    assert other.answer(answer(rater, 0))
    assert not store.answer(answer(rater, 0, "right"))
    assert joined(other) != rater
    assert len(store.raters()) == 2


def _answer_many(folder: str, rater: str, start: int) -> None:
    store = StudyStore(Path(folder))
    for item in range(start, start + 25):
        store.answer(answer(rater, item))
        store.answer(answer(rater, item % 10))


def test_processes_that_write_at_once_lose_and_double_nothing(store: StudyStore) -> None:
    rater = joined(store)
    context = multiprocessing.get_context("spawn")
    children = [context.Process(target=_answer_many, args=(str(store.folder), rater, start)) for start in (0, 15)]
    for child in children:
        child.start()
    for child in children:
        child.join(240)
        assert child.exitcode == 0
    lines = (store.folder / "answers.jsonl").read_text().splitlines()
    assert [a.item for a in store.answers()] == list(range(40))
    assert len(lines) == 1 + 40


def test_a_line_that_a_crash_cut_short_is_dropped(store: StudyStore) -> None:
    rater = joined(store)
    store.answer(answer(rater, 0))
    with (store.folder / "answers.jsonl").open("ab") as stream:
        stream.write(b'{"rater":"' + rater.encode() + b'","item":1,"cho')
    again = StudyStore(store.folder)
    assert again.answered(rater) == {0}
    assert again.answer(answer(rater, 1, "right"))
    entries = [json.loads(line) for line in (store.folder / "answers.jsonl").read_text().splitlines()]
    assert [entry.get("item") for entry in entries] == [None, 0, 1]


def test_a_damaged_line_is_an_error_with_its_place(store: StudyStore) -> None:
    joined(store)
    (store.folder / "answers.jsonl").write_bytes(b'{"rater": "x", "item": "one"}\n')
    with pytest.raises(DataError, match=r"answers\.jsonl; got a damaged line at byte 0; remove that line"):
        StudyStore(store.folder)


def test_no_more_raters_than_wanted(tmp_path: Path) -> None:
    store = lay_out(study(max_raters=1), tmp_path / "study")
    assert store.join(NOW)
    assert store.join(NOW) is None


@pytest.mark.parametrize("name", ["../study.json", "study.json", "0000000000000099.png", ""])
def test_only_the_pictures_are_served(store: StudyStore, name: str) -> None:
    assert store.picture(name) is None


def test_a_picture_of_the_study_is_served(store: StudyStore) -> None:
    name = store.study.people[0].pictures["telea"]
    assert (store.picture(name) or b"").startswith(b"\x89PNG")


def test_opening_by_id(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    with pytest.raises(DataError, match="got 'x'; make one with `likeness study new`"):
        open_study(paths, "x")
    design: Study = study()
    lay_out(design, paths.studies / design.study_id)
    assert open_study(paths, design.study_id).study == design
    for wrong in ("../studies/20261101-abcdef", "20261101-ABCDEF"):
        with pytest.raises(DataError, match="choose from 20261101-abcdef"):
            open_study(paths, wrong)
