"""Feed damaged inputs to every reader for some minutes: decoders, masks, parameters, manifests, JSON, multipart.

Readers run in a process of their own (`python -m scripts.hostile.fuzz_attack NAME SECONDS SEED`), whose end by a signal
is seen; JSON and multipart go to the service. hypothesis draws.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings

from models.errors import LikenessError
from scripts.finding import Finding, bounded, counted
from scripts.hostile import mutations
from scripts.hostile.mutations import Target, mutated
from scripts.hostile.raw_http import ask, head
from scripts.hostile.victim import Siege, Victim, peak_mebibytes, reset_peak, resident_mebibytes

_AT_ONCE = 200
_CPU_SECONDS, _MEBIBYTES = 2.0, 512.0
_FAULT = 500


def attack(siege: Siege) -> list[Finding]:
    """Attack by mutations, each reader for an equal share of the time."""
    share = siege.seconds / (len(READERS) + len(_posts(siege.victim)))
    found = [finding for name in READERS for finding in _in_a_process(name, share, siege)]
    for number, (name, (seeds, target)) in enumerate(_posts(siege.victim).items()):
        failures, trials = fuzz(target, seeds, share, siege.seed + number)
        found.append(counted(f"mutated {name} over HTTP", "0 answers of 5xx", failures, trials))
    return found


def fuzz(target: Target, seeds: list[bytes], seconds: float, start: int) -> tuple[list[str], int]:
    """Draw until the time is up; gives what failed, once per kind of error, and how often was drawn."""
    deadline, trials, failing, failures = time.monotonic() + seconds, 0, False, dict[str, str]()

    def once(data: bytes) -> None:
        nonlocal trials, failing
        if not failing and time.monotonic() > deadline:
            return
        trials, failing = trials + 1, True  # what failed is asked once more, also when the time is up
        target(data)
        failing = False

    while time.monotonic() < deadline and len(failures) < _AT_ONCE:
        test = given(mutated(seeds))(once)
        start, failing = start + 1, False
        options = settings(
            max_examples=_AT_ONCE, deadline=None, database=None, suppress_health_check=list(HealthCheck),
            phases=(Phase.generate,), print_blob=False,
        )  # fmt: skip
        try:
            seed(start)(options(test))()
        except Exception as error:  # noqa: BLE001 - whatever a reader raises is what is looked for
            failures.setdefault(type(error).__name__, f"{type(error).__name__}: {str(error)[:150]} (seed {start})")
    return list(failures.values()), trials


def _in_a_process(name: str, seconds: float, siege: Siege) -> list[Finding]:
    command = [sys.executable, "-m", "scripts.hostile.fuzz_attack", name, str(seconds), str(siege.seed)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    if done.returncode:
        return [counted(f"mutated {name}", "0 escapes", [f"ended with {done.returncode}: {done.stderr[-200:]}"], 1)]
    said = json.loads(done.stdout.splitlines()[-1])
    return [
        counted(f"mutated {name}", "0 escapes", said["failures"], said["trials"]),
        bounded(f"mutated {name}", "CPU s", _CPU_SECONDS, {"slowest": said["cpu"]}),
        bounded(f"mutated {name}", "MiB", _MEBIBYTES, {"largest": said["mebibytes"]}),
    ]


def _read_picture(data: bytes) -> None:
    from pipeline.image_io.decode import read_bytes
    from pipeline.image_io.outcome import Accepted, Limits

    limits = Limits(max_bytes=8192, max_pixels=10_000, min_side=16, max_aspect=4.0)
    outcome = read_bytes(data, limits)
    if isinstance(outcome, Accepted) and outcome.image.shape[0] * outcome.image.shape[1] > limits.max_pixels:
        raise AssertionError("more pixels than the limit")


def _read_mask(data: bytes) -> None:
    from pipeline.damage.picture import read_mask

    if read_mask(data, (24, 32)).mask.shape != (24, 32):
        raise AssertionError("a mask of another size")


def _of_file(reader: Callable[[Path], object], name: str) -> Target:
    """Let a reader read a file of this name in a folder of its own."""

    def read(data: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / name).write_bytes(data)
            reader(Path(folder) / name)

    return read


def _parameters() -> tuple[list[bytes], Target]:
    from pipeline.config.load import load_params

    return mutations.parameters(), _of_file(load_params, "params.yaml")


def _consents() -> tuple[list[bytes], Target]:
    from datetime import UTC, datetime

    from pipeline.config.data import KeepParams
    from pipeline.consent.records import ConsentRecord, record_of

    keep = KeepParams(days=9, location="")
    consent = record_of("a" * 32, "b" * 32, "consent", {"damaged.png": b"x"}, keep, datetime.now(UTC))
    return [consent.model_dump_json().encode()], lambda data: _nothing(ConsentRecord.of(data))


def _tokens() -> tuple[list[bytes], Target]:
    from datetime import UTC, datetime

    from pipeline.project.paths import Paths
    from serving.http.auth import new_token, read_tokens

    with tempfile.TemporaryDirectory() as folder:
        new_token(Paths(Path(folder)), "admin", "a name", datetime.now(UTC))
        tokens = Paths(Path(folder)).tokens.read_bytes()
    return [tokens], _of_file(read_tokens, "tokens.json")


def _nothing(_: object) -> None:
    """Take what a reader gave: whatever it is, it did not raise."""


def _backup() -> tuple[list[bytes], Target]:
    from datetime import UTC, datetime

    from monitoring.backup.archive import Writer
    from monitoring.backup.restore import restore_backup

    with tempfile.TemporaryDirectory() as folder:
        source, made = Path(folder) / "params.yaml", Path(folder) / "backup"
        source.write_bytes(b"a: 1\n" * 50)
        with made.open("wb") as stream:
            writer = Writer(stream)
            writer.add_file("params.yaml", source)
            writer.add_file("state/keys/log.key", source)
            writer.close(datetime.now(UTC))
        seeds = [made.read_bytes()]
    return seeds, _of_file(lambda path: restore_backup(path, path.parent / "new"), "backup")


def _log_rows() -> tuple[list[bytes], Target]:
    from pydantic import ValidationError

    from monitoring.log.rows import LogRow

    def read(data: bytes) -> None:
        with suppress(ValidationError):
            LogRow.model_validate_json(data)

    return [json.dumps(dict.fromkeys(LogRow.model_fields, 0)).encode()], read


READERS: dict[str, Callable[[], tuple[list[bytes], Target]]] = {
    "pictures": lambda: (mutations.pictures(), _read_picture),
    "masks": lambda: (mutations.masks(), _read_mask),
    "parameters": _parameters,
    "consent records": _consents,
    "lists of tokens": _tokens,
    "backups": _backup,
    "rows": _log_rows,
}
"""Seeds and reader by name. A reader may raise an error of the project, and nothing else."""


def _posts(victim: Victim) -> dict[str, tuple[list[bytes], Target]]:
    """Seeds by what is posted; an answer of 5xx, or none, is a failure."""
    token, record = victim.tokens["admin"], f"/v1/restorations/{'0' * 32}"

    def to(path: str, kind: str) -> Target:
        def post(data: bytes) -> None:
            lines = (f"Content-Type: {kind}", f"Content-Length: {len(data)}")
            answer = ask(victim.place, head("POST", path, token, *lines) + data)
            if not 0 < answer.status < _FAULT:
                raise AssertionError(f"{answer.status}: {answer.content[-150:]!r}")

        return post

    found = {name: (seeds, to(f"{record}/{name}", "application/json")) for name, seeds in mutations.records().items()}
    form = "multipart/form-data; boundary=x"
    return found | {"multipart": (mutations.bodies(), to("/v1/restorations", form))}


def _tolerant(reader: Target, worst: dict[str, float]) -> Target:
    """Let errors of the project pass, and note the dearest reading."""

    def read(data: bytes) -> None:
        began = time.process_time()
        try:
            with suppress(LikenessError):
                reader(data)
        finally:
            worst["cpu"] = max(worst["cpu"], time.process_time() - began)

    return read


def main(name: str, seconds: float, start: int) -> None:
    """Fuzz one reader in this process, and print what came of it as JSON."""
    own = int(Path("/proc/self").resolve().name)
    worst = {"cpu": 0.0}
    seeds, reader = READERS[name]()
    read = _tolerant(reader, worst)
    for one in seeds:
        read(one)  # imports
    worst["cpu"] = 0.0
    reset_peak(own)
    before = resident_mebibytes(own)
    failures, trials = fuzz(read, seeds, seconds, start)
    memory = peak_mebibytes(own) - before
    print(json.dumps({"failures": failures, "trials": trials, "mebibytes": memory, **worst}))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]))
