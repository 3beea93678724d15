"""What needs no service of its own: sizes of bodies, roles, wrong tokens, files and their list."""

import json
from datetime import UTC, datetime
from pathlib import Path

from pipeline.project.paths import Paths
from scripts.hostile.bad_files import encoded, files, portrait
from scripts.hostile.connections_attack import size_cases
from scripts.hostile.credentials_attack import longer, needed_role
from scripts.hostile.files_attack import given_cases, read_batch
from scripts.hostile.run import ATTACKS
from serving.http.auth import TokenStore, new_token, revoke_token
from tests.conftest import ROOT

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)


def test_every_attack_has_its_file() -> None:
    found = {path.stem.removesuffix("_attack") for path in (ROOT / "scripts/hostile").glob("*_attack.py")}
    assert found == set(ATTACKS)


def test_roles_that_addresses_need() -> None:
    asked = {
        "/v1/status": "", "/v1/masks": "restore", "/v1/restorations/{id}": "restore", "/v1/reviews": "review",
        "/v1/restorations/{id}/pictures": "review", "/v1/restorations/{id}/review": "review",
        "/v1/restorations/{id}/feedback": "restore", "/v1/subjects/{id}": "admin",
    }  # fmt: skip
    assert {path: needed_role(path) for path in asked} == asked


def test_bodies_are_made_when_they_are_sent() -> None:
    for sent, statuses in size_cases("lk_a_b", 1000, 100).values():
        assert sent().startswith(b"POST /v1/")
        assert all(400 <= status < 500 for status in statuses)


def test_wrong_tokens_of_every_kind_take_the_same_time(tmp_path: Path) -> None:
    """The probability that one takes longer is about one half."""
    paths = Paths(tmp_path)
    token, revoked = (new_token(paths, "admin", "a", NOW) for _ in range(2))
    revoke_token(paths, revoked.split("_")[1], NOW)
    find, wrong = TokenStore(paths).find, token[:-1]
    for other in ("lk_00000000_" + token.split("_", 2)[2], revoked, "xx" + wrong[2:]):
        rounds = sorted(longer(find, wrong, other, seed) for seed in range(5))
        assert 0.35 < rounds[2] < 0.65, other


def test_files_of_a_folder_and_its_list(tmp_path: Path) -> None:
    (tmp_path / "good.png").write_bytes(encoded(portrait(), "PNG"))
    (tmp_path / "half.jpg").write_bytes(files()["half.jpg"][0])
    (tmp_path / "link.jpg").symlink_to("good.png")
    told = [{"file": "half.jpg", "expected": "reject", "code": "corrupt"}]
    (tmp_path / "expected.json").write_text(json.dumps(told))
    cases = [(case.name, case.expected) for case in given_cases(tmp_path)]
    assert cases == [("good.png", "?"), ("half.jpg", "corrupt")]
    outcomes, costs = read_batch(tmp_path)
    assert {name: outcomes[name] for name in ("good.png", "half.jpg", "link.jpg")} == {
        "good.png": "", "half.jpg": "corrupt", "link.jpg": "not_a_regular_file",
    }  # fmt: skip
    assert max(cost.cpu_seconds for cost in costs.values()) < 2
