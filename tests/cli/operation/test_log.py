"""`likeness log`: rows of another service come into the log as they are, checked, once, and under pseudonyms."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from cli.main import main
from monitoring.log.production_log import open_log
from monitoring.log.rows import LogRow, frame
from pipeline.project.paths import Paths
from tests.conftest import ROOT
from tests.monitoring.traffic import row

ROWS = [row(n).model_copy(update={"subject": "ward/17" if n % 2 else "", "uncertainty": None}) for n in range(5)]


def write_json_lines(file: Path, rows: list[LogRow]) -> None:
    file.write_text("".join(one.model_dump_json() + "\n" for one in rows))


def write_csv(file: Path, rows: list[LogRow]) -> None:
    pd.DataFrame([one.model_dump(mode="json") for one in rows]).to_csv(file, index=False)


def write_parquet(file: Path, rows: list[LogRow]) -> None:
    frame(rows).to_parquet(file)


WRITERS: dict[str, Callable[[Path, list[LogRow]], None]] = {
    "rows.jsonl": write_json_lines, "rows.csv": write_csv, "rows.parquet": write_parquet,
}  # fmt: skip


def run(capsys: pytest.CaptureFixture[str], root: Path, *arguments: str) -> tuple[int, str]:
    """Status, and all that was printed."""
    with pytest.raises(SystemExit) as left:
        main(["log", *arguments, "--root", str(root)])
    printed = capsys.readouterr()
    return int(left.value.code or 0), printed.out + printed.err


def logged(root: Path) -> list[LogRow]:
    with open_log(Paths(root)) as log:
        return [found for one in ROWS if (found := log.row(one.request_id)) is not None]


@pytest.mark.parametrize("name", WRITERS)
def test_rows_are_imported_once_and_the_log_verifies(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / name
    WRITERS[name](file, ROWS)
    assert run(capsys, tmp_path, "import", str(file)) == (0, "5 rows imported, 0 were in the log already\n")
    found = logged(tmp_path)
    assert [one.model_copy(update={"subject": ""}) for one in found] == [
        one.model_copy(update={"subject": ""}) for one in ROWS
    ]
    assert {len(one.subject) for one in found} == {0, 32}
    assert run(capsys, tmp_path, "import", str(file), "--json") == (0, '{"added": 0, "known": 5}\n')
    with open_log(Paths(tmp_path)) as log:
        assert log.verify().whole


def test_one_wrong_row_is_named_and_nothing_is_imported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "rows.jsonl"
    wrong = json.loads(ROWS[4].model_dump_json()) | {"brightness": 300}
    file.write_text("".join(one.model_dump_json() + "\n" for one in ROWS[:4]) + json.dumps(wrong) + "\n")
    status, text = run(capsys, tmp_path, "import", str(file))
    assert status != 0
    assert "row 5 of rows.jsonl: brightness: Input should be less than or equal to 255" in text
    assert logged(tmp_path) == []


def test_a_subject_that_could_never_be_deleted_is_not_imported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "rows.jsonl"
    write_json_lines(file, [ROWS[0], ROWS[1].model_copy(update={"subject": "ward/../17"})])
    status, text = run(capsys, tmp_path, "import", str(file))
    assert (status != 0, "Traceback" in text, logged(tmp_path)) == (True, False, [])


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("rows.jsonl", b"[1]\n", "line 1 of rows.jsonl"),
        ("rows.jsonl", b"\xff\n", "line 1 of rows.jsonl"),
        ("rows.jsonl", b"{}\n", "row 1 of rows.jsonl: request_id: Field required"),
        ("rows.csv", b"request_id\n\xff\n", "a CSV file in UTF-8"),
        ("rows.csv", b"request_id\na,b\n", "row 1 of rows.csv"),
        ("rows.parquet", b"PAR1", "a Parquet file"),
        ("rows.xlsx", b"", "a file that ends in .jsonl, .csv, .parquet"),
    ],
)
def test_files_that_are_no_rows(
    name: str, content: bytes, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    status, text = run(capsys, tmp_path, "import", str(file))
    assert (status != 0, said in text, "Traceback" in text) == (True, True, False)


def test_a_request_that_is_logged_with_other_figures_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "rows.jsonl"
    write_json_lines(file, ROWS[:1])
    run(capsys, tmp_path, "import", str(file))
    write_json_lines(file, [ROWS[0].model_copy(update={"brightness": 1.0})])
    status, text = run(capsys, tmp_path, "import", str(file))
    assert (status != 0, repr(ROWS[0].request_id) in text) == (True, True)


def test_the_schema_has_all_fields(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["log", "schema"])
    assert set(json.loads(capsys.readouterr().out)["properties"]) == set(LogRow.model_fields)


def test_old_entries_are_sealed_and_the_log_reads_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    few = text.replace("log_segment_rows: 100000", "log_segment_rows: 2").replace(
        "log_live_rows: 500000", "log_live_rows: 1"
    )
    (tmp_path / "params.yaml").write_text(few, encoding="utf-8")
    with open_log(Paths(tmp_path)) as log:
        log.append(ROWS)
    assert run(capsys, tmp_path, "seal") == (0, "4 entries sealed\n")
    assert run(capsys, tmp_path, "seal", "--json") == (0, '{"sealed": 0}\n')
    assert logged(tmp_path) == ROWS
    assert len([*Paths(tmp_path).log_segments("log").glob("*.parquet")]) == 2
    file = tmp_path / "again.jsonl"
    write_json_lines(file, [one.model_copy(update={"subject": ""}) for one in ROWS[::2]])
    assert run(capsys, tmp_path, "import", str(file)) == (0, "0 rows imported, 3 were in the log already\n")


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.csv"])
def test_the_mark_of_utf_8_is_no_part_of_the_rows(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / name
    WRITERS[name](file, ROWS)
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert run(capsys, tmp_path, "import", str(file)) == (0, "5 rows imported, 0 were in the log already\n")


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.csv"])
def test_a_line_without_an_end_is_not_read_to_its_end(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / name
    with file.open("wb") as stream:
        stream.truncate(10 * 2**30)  # takes no room
    status, text = run(capsys, tmp_path, "import", str(file))
    assert (status, "line 1 of rows" in text, "lines of at most" in text) == (1, True, True)
