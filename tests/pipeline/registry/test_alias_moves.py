"""A move of aliases that dies is completed or undone; damaged journals are named; deleted versions are no return."""

import json
import multiprocessing
import os
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from models.errors import PromotionError, ServiceUnavailable
from pipeline.project.paths import Paths
from pipeline.registry import alias_moves
from pipeline.registry.alias_moves import journal_file, repair_aliases
from pipeline.registry.client import connect
from pipeline.registry.promotion import Promotion, promote, retire, rollback
from pipeline.registry.versions import ChampionState, Standing, champion_version, find_version, standing_of
from tests.pipeline.registry.site import NAME
from tests.pipeline.registry.test_promotion import alias_write_does, set_aliases

pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning:mlflow"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow"),
]
BEFORE = {"champion": "1", "previous": "2", "challenger": "3"}
WRITES = ("set_registered_model_alias", "delete_registered_model_alias", "set_registered_model_tag")
MOVES = 3
"""Writes of aliases: set `previous`, set `champion`, take `challenger` off; two tags and the journal's end follow."""


def aliases(paths: Paths) -> dict[str, str]:
    return dict(standing_of(connect(paths), NAME).aliases)


def record(paths: Paths) -> dict[str, str]:
    return dict(standing_of(connect(paths), NAME).record)


def delete(paths: Paths, number: str) -> None:
    """As the button on MLflow's pages."""
    connect(paths).delete_model_version(NAME, number)


def journal(site: Paths, before: dict[str, str | None], after: dict[str, str | None]) -> None:
    journal_file(site).parent.mkdir(parents=True, exist_ok=True)
    journal_file(site).write_text(json.dumps({"model": NAME, "before": before, "after": after}))


def promote_and_die(paths: Paths, after: int) -> None:
    """Promote version 3; the process kills itself after so many writes, or before the journal ends."""
    from mlflow import MlflowClient

    written = 0

    def counted(write: Callable[..., Any]) -> Callable[..., Any]:
        def count(*arguments: Any) -> Any:
            nonlocal written
            given = write(*arguments)
            written += 1
            if written == after:
                os.kill(os.getpid(), signal.SIGKILL)
            return given

        return count

    for name in WRITES:
        setattr(MlflowClient, name, counted(getattr(MlflowClient, name)))
    setattr(alias_moves, "delete_durably", lambda _: os.kill(os.getpid(), signal.SIGKILL))  # noqa: B010 - in this process alone
    promote(paths, NAME, "3", force=True)


@pytest.mark.parametrize("after", [1, 2, 3, 4, 5, 6])
def test_a_move_that_is_killed_is_undone_or_completed_but_never_half(site: Paths, after: int) -> None:
    set_aliases(site, champion=1, previous=2)  # as BEFORE; MLflow's connections must not be open across the fork
    child = multiprocessing.get_context("fork").Process(target=promote_and_die, args=(site, after))
    child.start()
    child.join(240)
    assert child.exitcode == -signal.SIGKILL
    assert journal_file(site).exists()
    assert repair_aliases(connect(site), site)
    complete = after >= MOVES
    assert aliases(site) == ({"champion": "3", "previous": "1"} if complete else BEFORE)
    assert record(site) == ({"champion": "3", "previous": "1"} if complete else {"champion": "1", "previous": "2"})
    assert complete == ("promoted_at" in find_version(connect(site), NAME, "3").tags)
    assert not journal_file(site).exists()
    assert not repair_aliases(connect(site), site)


@pytest.mark.parametrize("move", [partial(promote, version="1"), rollback])
def test_a_move_that_fails_leaves_the_tags_of_earlier_ones(site: Paths, move: Callable[..., Promotion]) -> None:
    promote(site, NAME, "1")
    promote(site, NAME, "2")
    client = connect(site)
    client.set_model_version_tag(NAME, "1", "promoted_at", "2026-01-05T08:00:00+00:00")
    before = {number: find_version(client, NAME, number).tags for number in ("1", "2")}
    with alias_write_does(site, "champion", "SELECT * FROM gone"), pytest.raises(ServiceUnavailable):
        move(site, NAME)
    assert not journal_file(site).exists()
    assert {number: find_version(client, NAME, number).tags for number in ("1", "2")} == before
    assert aliases(site) == {"champion": "2", "previous": "1", "challenger": "3"}


def test_a_move_whose_last_write_fails_once_is_completed_and_raises_nothing(
    site: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    write, left = MlflowClient.set_registered_model_tag, ["the store does not answer"]

    def fail_once(*arguments: str) -> None:
        if left:
            raise MlflowException(left.pop())
        write(*arguments)

    monkeypatch.setattr(MlflowClient, "set_registered_model_tag", fail_once)
    assert promote(site, NAME, "1") == Promotion(champion="1", previous="shipped")
    assert not left
    assert record(site) == {"champion": "1", "previous": "shipped"}
    assert aliases(site) == {"champion": "1", "challenger": "3"}
    assert not journal_file(site).exists()


def test_an_alias_that_somebody_set_meanwhile_stands(site: Paths) -> None:
    set_aliases(site, champion=3, previous=1)  # `previous` was moved, then a person chose version 3
    before: dict[str, str | None] = {"champion": "1", "previous": None, "challenger": None}
    journal(site, before, {"champion": "2", "previous": "1", "challenger": None})
    assert repair_aliases(connect(site), site)
    assert aliases(site) == {"champion": "3", "previous": "1", "challenger": "3"}
    assert not journal_file(site).exists()


def test_a_version_that_was_deleted_meanwhile_is_not_put_back(site: Paths) -> None:
    set_aliases(site, champion=1, previous=1)
    before: dict[str, str | None] = {"champion": "1", "previous": "2", "challenger": "3"}
    journal(site, before, {"champion": "3", "previous": "1", "challenger": None})
    delete(site, "2")
    assert retire(site, NAME, "3", "loss")
    assert aliases(site) == {"champion": "1"}


@pytest.mark.parametrize("gone", ["alias", "model"])
def test_a_journal_of_what_is_not_there_any_more_stops_nobody(site: Paths, gone: str) -> None:
    before: dict[str, str | None] = {"champion": None, "previous": None, "challenger": "3"}
    journal(site, before, {"champion": "3", "previous": None, "challenger": None})
    client = connect(site)
    if gone == "model":
        client.delete_registered_model(NAME)
    else:
        delete(site, "3")
    assert repair_aliases(client, site)
    assert not journal_file(site).exists()
    assert aliases(site) == {}


def test_a_damaged_journal_is_named_and_changes_nothing(site: Paths) -> None:
    whole = '{"model": "m", "before": {"champion": "1", "previous": null, "challenger": null}, "after": %s}'
    damaged = (
        b"", b"{", b"null", b"[]", b"\xff\xfe", b"{}", b"[" * 100_000, whole[:40].encode(), b"\0" * 200,
        whole.replace("\"m\"", "\"../m\"").replace("%s", "{}").encode(),
        (whole % "{}").encode(), (whole % '{"champion": "x", "previous": null, "challenger": null}').encode(),
        (whole % '{"champion": 1, "previous": null, "challenger": null}').encode(),
        (whole % f'{{"champion": "{"9" * 40}", "previous": null, "challenger": null}}').encode(),
        (whole % '{"champion": "1", "previous": null, "challenger": null, "other": "1"}').encode(),
    )  # fmt: skip
    journal_file(site).parent.mkdir(parents=True)
    for content in damaged:
        journal_file(site).write_bytes(content)
        for move in (lambda: promote(site, NAME, "1"), lambda: rollback(site, NAME), lambda: retire(site, NAME, "3")):
            with pytest.raises(PromotionError, match=r"journal .*journal\.json; got a damaged file; .* delete /"):
                move()
        assert journal_file(site).read_bytes() == content
    assert aliases(site) == {"challenger": "3"}
    journal_file(site).unlink()
    journal_file(site).mkdir()
    with pytest.raises(PromotionError, match="a damaged file"):
        promote(site, NAME, "1")
    journal_file(site).rmdir()
    assert promote(site, NAME, "1").champion == "1"


def test_the_journal_is_on_the_disk_before_the_first_alias_moves(site: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlflow import MlflowClient

    retire(site, NAME, "3")
    events, sync, write = list[str](), os.fsync, MlflowClient.set_registered_model_alias

    def synced(handle: int) -> None:
        events.append(Path(f"/proc/self/fd/{handle}").readlink().name)
        sync(handle)

    def written(client: MlflowClient, name: str, alias: str, version: str) -> None:
        events.append(alias)
        write(client, name, alias, version)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(MlflowClient, "set_registered_model_alias", written)
    promote(site, NAME, "1")
    assert events[0].startswith(".journal.json.")
    assert events[1:] == ["promotion", "champion", "promotion"]  # its folder, the alias, the folder without it


def test_a_deleted_champion_is_missed_and_the_one_before_it_is_the_way_back(site: Paths) -> None:
    promote(site, NAME, "1")
    promote(site, NAME, "2")
    delete(site, "2")
    assert standing_of(connect(site), NAME).champion() == ChampionState("2", lost=True)
    with pytest.raises(PromotionError, match="champion of portrait-restorer; got version 2 without that alias"):
        champion_version(site, NAME)
    assert retire(site, NAME, "3", "loss")  # chooses no champion
    assert standing_of(connect(site), NAME).champion() == ChampionState("2", lost=True)
    assert promote(site, NAME, "3", force=True) == Promotion(champion="3", previous="1")
    delete(site, "3")
    assert rollback(site, NAME) == Promotion(champion="1", previous="shipped")
    assert champion_version(site, NAME) == "1"


def test_a_return_to_the_shipped_model_is_recorded(site: Paths) -> None:
    promote(site, NAME, "1")
    assert rollback(site, NAME) == Promotion(champion="shipped", previous="1")
    assert record(site) == {"champion": "shipped", "previous": "1"}
    assert standing_of(connect(site), NAME).champion(served="1") == ChampionState("shipped", lost=False)
    promote(site, NAME, "2")
    delete(site, "2")
    with pytest.raises(PromotionError):
        champion_version(site, NAME)
    assert rollback(site, NAME) == Promotion(champion="shipped", previous="shipped")  # chosen, this time
    assert champion_version(site, NAME) == "shipped"


def test_a_rollback_to_a_deleted_version_is_refused(site: Paths) -> None:
    promote(site, NAME, "1")
    promote(site, NAME, "2")
    delete(site, "1")
    with pytest.raises(PromotionError, match="previous champion of portrait-restorer; got version 1 without"):
        rollback(site, NAME)
    assert aliases(site)["champion"] == "2"


@pytest.mark.parametrize(
    ("standing", "record", "served", "expected"),
    [
        ({}, {}, None, ("shipped", False)),
        ({}, {}, "shipped", ("shipped", False)),
        ({}, {}, "4", ("4", True)),  # the model itself was deleted, or MLflow has another database
        ({"previous": "3"}, {}, "4", ("4", True)),
        ({"previous": "4"}, {}, "4", ("shipped", False)),  # aliases that were moved by hand
        ({"champion": "2"}, {"champion": "shipped"}, "4", ("2", False)),
        ({"previous": "1"}, {"champion": "shipped"}, "1", ("shipped", False)),
        ({"previous": "1"}, {"champion": "2"}, "1", ("2", True)),
    ],
)
def test_who_is_champion(
    standing: dict[str, str], record: dict[str, str], served: str | None, expected: tuple[str, bool]
) -> None:
    found = Standing(standing, record).champion(served)
    assert (found.version, found.lost) == expected
