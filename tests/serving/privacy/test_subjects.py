"""Pseudonyms need the key, survive an upgrade, and are not lent to requests of before a deletion."""

import hashlib
import hmac
import re
import sqlite3
import stat
import unicodedata
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import DataError, StorageError
from pipeline.project.files import secret_once
from pipeline.project.paths import Paths
from serving.privacy.subjects import Pseudonyms, valid_subject


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(tmp_path)


def pseudonym_from(salt: bytes, subject: str) -> str:
    return hmac.new(salt, subject.encode(), hashlib.sha256).hexdigest()[:32]


def test_the_table_alone_confirms_no_pseudonym(paths: Paths) -> None:
    """Whoever reads the table, and guesses the subject, cannot compute the pseudonym; with the key one can."""
    name = Pseudonyms(paths).of("ann")
    with closing(sqlite3.connect(paths.subjects)) as table:
        lookup, masked = table.execute("SELECT lookup, masked FROM subjects").fetchone()
    candidates = {pseudonym_from(stored, "ann") for stored in (lookup, masked, lookup + masked, masked + lookup)}
    assert name not in candidates
    key = (paths.keys / "subjects.key").read_bytes()
    assert lookup == hmac.new(key, b"ann", hashlib.sha256).digest()
    stream = hmac.new(key, b"salt of " + lookup, hashlib.sha256).digest()
    assert name == pseudonym_from(bytes(a ^ b for a, b in zip(masked, stream, strict=True)), "ann")


def test_a_table_of_an_earlier_version_keeps_its_pseudonyms_and_loses_its_bare_salts(paths: Paths) -> None:
    key, salts = secret_once(paths.keys / "subjects.key"), {"ann": b"a" * 32, "ward/17": bytes(range(32))}
    with closing(sqlite3.connect(paths.subjects)) as table, table:
        table.execute("CREATE TABLE subjects (lookup BLOB PRIMARY KEY, salt BLOB NOT NULL) WITHOUT ROWID")
        rows = [(hmac.new(key, subject.encode(), "sha256").digest(), salt) for subject, salt in salts.items()]
        table.executemany("INSERT INTO subjects VALUES (?, ?)", rows)
    paths.subjects.chmod(0o644)
    names = Pseudonyms(paths)
    assert {subject: names.known(subject) for subject in salts} == {
        subject: pseudonym_from(salt, subject) for subject, salt in salts.items()
    }
    assert not any(salt in paths.subjects.read_bytes() for salt in salts.values())
    assert stat.S_IMODE(paths.subjects.stat().st_mode) == 0o600
    assert Pseudonyms(paths).of("ann", 0) == pseudonym_from(salts["ann"], "ann")  # once, not at every start


def test_a_request_of_before_a_deletion_gets_a_pseudonym_that_stands_for_nobody(paths: Paths) -> None:
    names, other = Pseudonyms(paths), Pseudonyms(paths)  # two processes
    before = names.deletions()
    known = names.of("bob", before)
    other.forget("ann")  # nobody knew her: she may have a request under way
    arrived = names.deletions()
    assert arrived == before + 1
    late = names.of("ann", before)
    assert re.fullmatch("[0-9a-f]{32}", late)
    assert (names.known("ann"), late == names.of("ann", before)) == ("", False)
    new = names.of("ann", arrived)
    assert names.of("ann", arrived) == new == names.known("ann")
    assert names.of("ann", before) not in {new, late}  # not the one of the new consent either
    assert names.of("bob", before) == known  # somebody else's deletion takes nothing from him


def test_a_damaged_table_is_an_error_of_the_storage(paths: Paths) -> None:
    names = Pseudonyms(paths)
    paths.subjects.write_bytes(b"not a database, but long enough to look like one" * 100)
    with pytest.raises(StorageError, match="table of pseudonyms"):
        names.of("ann")


@given(st.text(min_size=1, max_size=20))
def test_a_valid_subject_is_one_that_an_address_can_carry(text: str) -> None:
    try:
        subject = valid_subject(text)
    except DataError:
        return
    assert subject == unicodedata.normalize("NFC", text) == valid_subject(subject)
    assert subject.encode().decode() == subject
    assert subject.isspace() is False
    parts = subject.split("/")
    assert "" not in parts
    assert ".." not in parts
