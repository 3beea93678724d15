"""The path to champion: a verdict moves the registry once, whoever asks and whatever dies in between."""

import shutil
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from flows.steps import ab_test
from flows.steps.ab_test import approve_winner, conclude_test, end_test, supersede
from flows.steps.approval import Approval
from flows.steps.promotion_policy import may_cycle, next_decision
from models.errors import LikenessError, ServiceUnavailable
from monitoring.ab.experiment import running_test
from monitoring.ab.record import ended_tests, record_answer, unfinished_verdict
from monitoring.ab.verdict import judge
from monitoring.log.production_log import open_log
from pipeline.config.load import load_params, write_params
from pipeline.project.paths import Paths
from pipeline.registry.client import connect
from pipeline.registry.promotion import promote, retire
from pipeline.registry.user_study_tag import record_study
from pipeline.registry.versions import aliases_of, find_version
from tests.monitoring.ab.rows import ab_rows
from tests.monitoring.traffic import rows_of
from tests.pipeline.registry.site import NAME, PARAMS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning", "ignore::ResourceWarning"),
]


@pytest.fixture
def tested(registry: Paths, monkeypatch: pytest.MonkeyPatch) -> Paths:
    """Version 1 is champion, version 2 is in the test; no rows yet."""
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.setenv("PREFECT_HOME", str(registry.root / "prefect"))
    shutil.copy(PARAMS, registry.params)
    promote(registry, NAME, "1")
    connect(registry).set_registered_model_alias(NAME, "challenger", "2")
    return registry


def serve(paths: Paths, effect: float, n: int = 300) -> None:
    """Requests of the test, the last of them now."""
    table = ab_rows(n, 1, effect=effect)
    now = datetime.now(UTC)
    table["time"] = [now - timedelta(microseconds=n - k) for k in range(n)]  # all of them since the test began
    known = pd.DataFrame(table.drop(columns=["sequence", "feedback_recognised", "feedback_preferred"]))
    with open_log(paths) as log:
        log.append(rows_of(known))


def aliases(paths: Paths) -> dict[str, str]:
    return aliases_of(connect(paths), NAME)


def tags(paths: Paths, version: str) -> dict[str, str]:
    return dict(find_version(connect(paths), NAME, version).tags)


def look(paths: Paths) -> str | None:
    """What the flow does, without Prefect."""
    verdict = conclude_test.fn(paths.root)
    if not verdict.final:
        return None
    approved = approve_winner(paths.root, verdict, None)
    return "waiting" if approved is None else end_test.fn(paths.root, verdict, approved=approved)


def test_a_winner_becomes_champion_once(tested: Paths) -> None:
    assert running_test(load_params(tested.params), tested) is not None
    assert look(tested) is None  # nothing was served
    serve(tested, effect=0.03)
    verdict = conclude_test.fn(tested.root)
    assert verdict.state == "win"
    assert aliases(tested)["champion"] == "1"  # judged and recorded, nothing moved
    assert end_test.fn(tested.root, verdict, approved=True) == "promoted"
    assert end_test.fn(tested.root, verdict, approved=True) is None  # a second run that had judged at the same time
    assert aliases(tested) == {"champion": "2", "previous": "1"}
    assert look(tested) is None
    with open_log(tested) as log:
        assert [(v.experiment, action) for v, action in ended_tests(log)] == [("1-vs-2", "promoted")]
        assert [entry.body["code"] for entry in log.entries("alert")] == ["ab-1-vs-2-win"]
        assert log.verify().flaw is None


def test_a_crash_between_record_and_promotion_is_mended(tested: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(tested, effect=0.03)

    def dies(*_: object, **__: object) -> bool:
        raise ServiceUnavailable("Prefect", "nothing", "wait")

    with monkeypatch.context() as patch:
        patch.setattr(ab_test, "emit", dies)
        with pytest.raises(ServiceUnavailable):
            look(tested)
    assert aliases(tested)["champion"] == "2"  # moved, but nobody was told
    assert look(tested) == "promoted"
    assert aliases(tested) == {"champion": "2", "previous": "1"}
    with open_log(tested) as log:
        assert len(ended_tests(log)) == 1
        assert unfinished_verdict(log) is None


def test_a_loser_is_retired(tested: Paths) -> None:
    serve(tested, effect=-0.3)
    assert look(tested) == "retired"
    assert aliases(tested) == {"champion": "1"}
    assert tags(tested, "2")["ab"] == "ended"
    assert tags(tested, "2")["ab_outcome"] == "guard-rail"
    connect(tested).set_registered_model_alias(NAME, "challenger", "2")  # by hand: it stays ended
    assert running_test(load_params(tested.params), tested) is None


def test_a_person_has_the_last_word(tested: Paths) -> None:
    write_params(tested.params, tested.params, {"ab.approval": True})
    serve(tested, effect=0.03)
    assert look(tested) == "waiting"
    verdict = conclude_test.fn(tested.root)
    assert approve_winner(tested.root, verdict, lambda _: None) is None  # asked, not answered
    assert aliases(tested)["champion"] == "1"
    assert approve_winner(tested.root, verdict, lambda _: Approval(approve=False, by="anna")) is False
    with open_log(tested) as log:
        assert log.entries("verdict")[-1].body == {"step": "answer", "approved": False, "by": "anna"}
        assert "ab-1-vs-2-approval" in {entry.body["code"] for entry in log.entries("alert")}
    assert look(tested) == "rejected"
    assert aliases(tested) == {"champion": "1"}
    assert tags(tested, "2")["ab_outcome"] == "rejected"


def test_an_approval_by_command_promotes(tested: Paths) -> None:
    write_params(tested.params, tested.params, {"ab.approval": True})
    serve(tested, effect=0.03)
    assert look(tested) == "waiting"
    with open_log(tested) as log:
        record_answer(log, "1-vs-2", approved=True, by="anna", now=datetime.now(UTC))
    assert look(tested) == "promoted"
    assert aliases(tested)["champion"] == "2"


def test_a_winner_over_a_champion_who_is_gone_is_not_promoted(tested: Paths) -> None:
    serve(tested, effect=0.03)
    verdict = conclude_test.fn(tested.root)
    promote(tested, NAME, "3", force=True)
    assert end_test.fn(tested.root, verdict, approved=True) == "retired"
    assert aliases(tested) == {"champion": "3", "previous": "1"}


def test_a_new_challenger_ends_the_running_test(tested: Paths) -> None:
    serve(tested, effect=0.0, n=20)
    standing = judge(load_params(tested.params), tested, now=datetime.now(UTC))
    supersede(tested.root, standing, by="3")
    with open_log(tested) as log:
        [(verdict, action)] = ended_tests(log)
    assert (verdict.state, action) == ("superseded", "retired")
    assert verdict.reason.startswith("version 3 has replaced")
    assert verdict.requests == standing.requests
    assert tags(tested, "2")["ab_outcome"] == "superseded"


def test_cycles_of_the_watch_wait_for_the_test(tested: Paths) -> None:
    assert may_cycle(tested.root, "w1") == "test under way"
    assert may_cycle(tested.root, "") == "start"  # by hand or by schedule
    assert next_decision(tested.root, "3") == "1-vs-3"
    retire(tested, NAME, "2", "loss")
    assert may_cycle(tested.root, "w1") == "start"
    write_params(tested.params, tested.params, {"ab.enabled": False})
    assert next_decision(tested.root, "3") == ""


def test_a_refused_model_takes_no_challengers_place(tested: Paths) -> None:
    from pipeline.registry.register import _in_test

    client = connect(tested)
    assert _in_test(client, NAME)
    retire(tested, NAME, "2", "loss")
    assert not _in_test(client, NAME)  # no challenger
    client.set_registered_model_alias(NAME, "challenger", "2")
    assert not _in_test(client, NAME)  # its test has ended
    client.set_registered_model_alias(NAME, "challenger", "3")
    assert not _in_test(client, NAME)  # it never passed the gate


def test_the_first_version_meets_nobody(registry: Paths) -> None:
    shutil.copy(PARAMS, registry.params)
    assert next_decision(registry.root, "1") == ""


def test_the_command_says_how_it_stands(tested: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    from cli.main import likeness

    serve(tested, effect=0.03)
    likeness.main(["ab", "--root", str(tested.root)], standalone_mode=False)
    said = capsys.readouterr().out
    assert "A/B test 1-vs-2: win" in said
    assert "identity" in said
    assert "next: the next run makes version 2 champion" in said
    assert aliases(tested)["champion"] == "1"  # asking changes nothing
    with pytest.raises(LikenessError, match="a winner that waits"):
        likeness.main(["ab", "--approve", "--root", str(tested.root)], standalone_mode=False)


@pytest.mark.parametrize(
    ("found", "outcome", "champion"), [("not worse", "promoted", "2"), ("not shown", "rejected", "1")]
)
def test_a_winner_waits_for_its_user_study_and_follows_it(
    tested: Paths, found: str, outcome: str, champion: str
) -> None:
    connect(tested).set_model_version_tag(NAME, "2", "study", "required")
    serve(tested, effect=0.03)
    assert look(tested) == "waiting"
    assert look(tested) == "waiting"
    assert aliases(tested)["champion"] == "1"
    record_study(tested, NAME, tags(tested, "2")["weights_sha256"], {"study": found})
    assert look(tested) == outcome
    assert aliases(tested)["champion"] == champion


def test_without_an_ab_test_people_decide_where_a_study_counts(tested: Paths) -> None:
    write_params(tested.params, tested.params, {"ab.enabled": False, "study.counts_in_gate": True})
    assert next_decision(tested.root, "3") == "user study"
