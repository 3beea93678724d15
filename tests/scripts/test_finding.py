"""A miss is a miss, and so is an attack that tried nothing."""

from scripts.finding import bounded, counted, said, skipped


def test_nothing_observed_in_some_trials_is_what_was_asked() -> None:
    assert counted("a", "0", [], 5).row() == "| a | 0 | 0 / 5 | yes |"
    assert counted("a", "0", ["b"], 5).row() == "| a | 0 | 1 / 5 | **no** |"


def test_an_attack_without_trials_shows_nothing() -> None:
    assert not counted("a", "0", [], 0).met
    assert not bounded("a", "MiB", 2.0, {}).met


def test_a_bound_holds_for_each() -> None:
    found = bounded("a", "MiB", 2.0, {"x": 2.0, "y": 2.5})
    assert (found.observed, found.met, found.misses) == ("1 / 2, at most 2.50 MiB", False, ("y: 2.50 MiB",))


def test_the_first_misses_are_named() -> None:
    assert said(tuple("abcdefghij")).splitlines()[-1].strip() == "and 2 more"


def test_what_was_not_tried_is_neither_met_nor_missed() -> None:
    found = skipped("a", "0", "no server is installed")
    assert found.row() == "| a | 0 | no server is installed | not tried |"
    assert found.met is None
