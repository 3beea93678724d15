"""What stays behind after requests: figures, and pictures only where somebody opted in."""

import base64
import re
from pathlib import Path

import pytest

from tests.serving.site import Site, damaged, file_of, form, portrait

SUBJECT, BASIS = "patient-0815-eyes-only", "consent of 2 March"
ALLOWED = (
    r"state/production\.sqlite(-wal|-shm)?",
    r"state/(served|tokens)\.json",
    r"state/subjects\.sqlite(-wal|-shm|-journal)?",
    r"state/keys/.*",
    r"state/locks/.*",
    r"state/.*head.*",
)


def files_below(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def contents(root: Path) -> bytes:
    return b"\0".join(path.read_bytes() for path in sorted((root / "state").rglob("*")) if path.is_file())


def test_nothing_but_figures_stays(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    files = form() | {"references": file_of(damaged()[0])}
    with site.client() as client:
        found = client.post("/v1/restorations", files=files, data={"subject": SUBJECT}).json()
        client.post("/v1/masks", files={"image": files["image"]})
        client.post("/v1/restorations", files=files, data={"mode": "colorize"})
    paths = site.paths
    strangers = {
        name
        for name in files_below(paths.root)
        if name != "params.yaml" and not any(re.fullmatch(p, name) for p in ALLOWED)
    }
    assert strangers == set()
    assert list(tmp_path.iterdir()) == []  # no temporary file either
    left = contents(paths.root)
    assert SUBJECT.encode() not in left
    for picture in (*files.values(), base64.b64decode(found["picture"])):
        assert picture[-80:-20] not in left
        assert picture[40:100] not in left
        assert base64.b64encode(picture)[60:100] not in left
    assert not re.search(rb"[A-Za-z0-9+/]{400,}={0,2}", left)  # nothing long enough to be a picture or an embedding


def test_the_log_knows_a_subject_by_pseudonym_only(site: Site) -> None:
    with site.client() as client:
        ids = [
            client.post("/v1/restorations", files=form(), data={"subject": subject, "picture": "none"}).json()[
                "request_id"
            ]
            for subject in (SUBJECT, SUBJECT, "another")
        ]
        told = client.get(f"/v1/restorations/{ids[0]}").json()
    rows = [site.service.context.log.row(request_id) for request_id in ids]
    subjects = [row.subject for row in rows if row is not None]
    assert len(subjects) == 3
    assert subjects[0] == subjects[1] != subjects[2]
    assert re.fullmatch("[0-9a-f]{32}", subjects[0])
    assert "subject" not in told["figures"]
    assert subjects[0] not in str(told)
    assert all(value is None or isinstance(value, float | int | str | bool) for value in told["figures"].values())


def test_pictures_are_kept_only_with_a_basis_and_deleted_on_demand(site: Site) -> None:
    log, root = site.service.context.log, site.paths.root
    before = files_below(root)
    with site.client("admin") as client:
        answer = client.post("/v1/restorations", files=form(), data={"subject": SUBJECT, "keep_basis": BASIS})
        assert answer.json()["kept"]
        kept = files_below(root) - before
        assert any(name.endswith("damaged.png") for name in kept)
        assert SUBJECT not in " ".join(kept)
        row = log.row(answer.json()["request_id"])
        gone = client.delete(f"/v1/subjects/{SUBJECT}")
        again = client.delete(f"/v1/subjects/{SUBJECT}")
    assert gone.json() == {"deleted": 1}
    assert again.json() == {"deleted": 0}
    assert not any(name.endswith(".png") for name in files_below(root))
    assert row is not None
    deletions = log.entries("deletion")
    ours = [entry.body for entry in deletions if entry.key == row.subject]
    assert ours == [{"requests": 1}]
    assert SUBJECT not in str(deletions)


def test_a_photo_that_came_back_as_it_came_is_kept_without_a_restored_one(site: Site) -> None:
    with site.client("admin") as client:
        given = {"subject": SUBJECT, "keep_basis": BASIS}
        request_id = client.post("/v1/restorations", files={"image": file_of(portrait())}, data=given).json()[
            "request_id"
        ]
        kept = client.get(f"/v1/restorations/{request_id}/pictures").json()["pictures"]
        waiting = client.get("/v1/reviews").json()["reviews"]
        client.delete(f"/v1/subjects/{SUBJECT}")
    assert list(kept) == ["damaged.png", "mask.png"]
    assert request_id not in [one["request_id"] for one in waiting]
