"""Send hostile files over HTTP and read them as a batch: each gets its outcome, and costs little."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import httpx

from pipeline.image_io.outcome import Code
from pipeline.sources.walk import walk
from scripts.finding import Finding, bounded, counted
from scripts.hostile.bad_files import NAMES, ON_DISK, encoded, files, portrait
from scripts.hostile.victim import Cost, Siege, Victim

CPU_SECONDS, MEBIBYTES = 2.0, 512.0
_LISTS = ("expected.json", "selfmade.json")
"""Files of a given folder that say what others come to: [{"file", "expected": "accept" or "reject", "code"}]."""
_ANY = "?"
_HTTP_CODES: dict[str, tuple[str, ...]] = {
    Code.EMPTY_FILE: ("bad_request",),
    Code.TOO_MANY_BYTES: ("too_many_bytes", "too_large"),
    Code.TOO_MANY_PIXELS: ("too_many_pixels", "too_much_memory"),
}
"""Codes of answers over HTTP that a batch does not have: a field without a file, limits of body and memory."""
_TAKEN = frozenset({"", "refused", "too_much_memory", "too_many_faces"})
"""Codes of answers about a file that was read; "" is a success."""


@dataclass(frozen=True)
class Case:
    """A file and what it comes to: a code, "" for accept, `?` where nobody said."""

    name: str
    path: Path
    expected: str


def attack(siege: Siege) -> list[Finding]:
    """Attack by files."""
    made = siege.work / "files"
    made.mkdir()
    made_cases = [_made(made, name, data, code) for name, (data, code) in files().items()]
    odd = encoded(portrait(), "JPEG")
    named = [_made(made, name, odd, "") for name in ON_DISK]
    outcomes, batch = read_batch(made)
    found = _batch("made files", [*made_cases, *named], outcomes, batch)
    found += [*_http(siege.victim, "made files", made_cases, outcomes), _names(siege.victim)]
    if siege.files is not None:
        cases, (outcomes, batch) = given_cases(siege.files), read_batch(siege.files)
        found += _batch("given files", cases, outcomes, batch)
        found += _http(siege.victim, "given files", cases, outcomes)
    return found


def given_cases(folder: Path) -> list[Case]:
    """List the files of a folder as a batch does, links left out, with what its own list says of each."""
    told: dict[str, str] = {}
    for name in _LISTS:
        if (folder / name).is_file():
            rows = json.loads((folder / name).read_text(encoding="utf-8"))
            told |= {row["file"]: "" if row["expected"] == "accept" else row["code"] for row in rows}
    files_there = ((name, path) for name, path in walk(folder) if path.is_file() and not path.is_symlink())
    names = [(name, path) for name, path in files_there if path.name not in _LISTS]
    return [Case(name, path, told.get(name, _ANY)) for name, path in names]


def read_batch(folder: Path) -> tuple[dict[str, str], dict[str, Cost]]:
    """Read a folder in a process of its own: the code of each file, and its cost."""
    command = [sys.executable, "-m", "scripts.hostile.reading", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    outcomes = {row["file"]: row["code"] for row in rows}
    costs = {row["file"]: Cost(row["cpu"], row["mebibytes"]) for row in rows}
    if done.returncode:
        outcomes[f"(the reader ended with {done.returncode})"] = done.stderr[-200:]
    return outcomes, costs


def _made(folder: Path, name: str, data: bytes, code: str) -> Case:
    (folder / name).write_bytes(data)
    return Case(name, folder / name, code)


def _batch(whose: str, cases: list[Case], outcomes: dict[str, str], costs: dict[str, Cost]) -> list[Finding]:
    misses = [
        f"{case.name!r}: {outcomes.get(case.name, 'no outcome')!r} for {case.expected!r}"
        for case in cases
        if outcomes.get(case.name, "no outcome") != case.expected
        and not (case.expected == _ANY and case.name in outcomes)
    ]
    misses += [f"{name}: {code}" for name, code in outcomes.items() if name.startswith("(the reader ended")]
    return [
        counted(f"{whose} as a batch", "0 unexpected outcomes", misses, len(cases)),
        bounded(f"{whose} as a batch", "CPU s", CPU_SECONDS, {name: cost.cpu_seconds for name, cost in costs.items()}),
        bounded(f"{whose} as a batch", "MiB", MEBIBYTES, {name: cost.mebibytes for name, cost in costs.items()}),
    ]


def _http(victim: Victim, whose: str, cases: list[Case], outcomes: dict[str, str]) -> list[Finding]:
    misses, faults, costs = [], [], dict[str, Cost]()
    with victim.client("restore") as client:
        _send(client, "warm.png", encoded(portrait(), "PNG"))
        for case in cases:
            data = case.path.read_bytes()
            (status, code), costs[case.name] = victim.measured(lambda: _send(client, case.name, data))  # noqa: B023 - called at once
            expected = outcomes.get(case.name, "") if case.expected == _ANY else case.expected
            fits = code in (_TAKEN if not expected else _HTTP_CODES.get(expected, (expected,)))
            if status >= 500:
                faults.append(f"{case.name!r}: {status} {code}")
            elif not fits:
                misses.append(f"{case.name!r}: {status} {code!r} for {expected!r}")
    return [
        counted(f"{whose} over HTTP", "0 answers of 5xx", faults, len(cases)),
        counted(f"{whose} over HTTP", "0 unexpected outcomes", misses, len(cases)),
        bounded(f"{whose} over HTTP", "CPU s", CPU_SECONDS, {name: cost.cpu_seconds for name, cost in costs.items()}),
        bounded(f"{whose} over HTTP", "MiB", MEBIBYTES, {name: cost.mebibytes for name, cost in costs.items()}),
    ]


def _send(client: httpx.Client, name: str, data: bytes) -> tuple[int, str]:
    """Send a photo; gives status and code."""
    answer = client.post("/v1/restorations", files={"image": (name, data)}, data={"picture": "none"})
    return answer.status_code, "" if answer.is_success else str(answer.json()["code"])


def _names(victim: Victim) -> Finding:
    """Send one picture under each hostile name: it is read (and refused as too small), and the name leads nowhere."""
    data, misses = files()["small.png"][0], []
    with victim.client("restore") as client:
        for name in NAMES:
            disposition = f'form-data; name="image"; filename="{name}"'.encode()
            body = b"--x\r\nContent-Disposition: " + disposition + b"\r\n\r\n" + data + b"\r\n--x--\r\n"
            kind = {"Content-Type": "multipart/form-data; boundary=x"}
            answer = client.post("/v1/restorations", content=body, headers=kind)
            if answer.status_code != httpx.codes.UNPROCESSABLE_ENTITY or b"root:" in answer.content:
                misses.append(f"{name[:60]!r}: {answer.status_code}")
    return counted("hostile names of files over HTTP", "0 answers but 422", misses, len(NAMES))
