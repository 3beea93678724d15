"""What the heaviest legal photos cost the service: `python -m scripts.benchmarks.service.measure_heavy --seed 1`.

Each case is sent to a `likeness serve` of its own, with this project's params.yaml and the shipped model, `--together`
times at once. Prints Markdown: the answers, CPU seconds and peak memory of the service's process (libraries included),
how long it goes on working after the last answer, and how long SIGTERM takes while the same photo is in work.
`--answer-seconds` replaces `serve.answer_seconds`: a short time shows how soon work stops once it is up.
"""

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import httpx
import psutil

from models.assets import ASSETS
from pipeline.project.paths import Paths
from scripts.benchmarks.service.heavy_photos import CASES, SIDE, HeavyPhoto, heavy_photo
from scripts.benchmarks.service.served_workspace import Served, serving

HEAD = (
    "| case | photo and mask, MiB | together | answers | s | CPU s | peak MiB | works on, s | SIGTERM, s |\n"
    "|---|---|---|---|---|---|---|---|---|"
)
_MEBIBYTE = 2**20
_STEP = 0.05
"""Seconds between two looks at the process."""
_IDLE, _QUIET = 0.1, 0.5
"""Share of a core, over so many seconds, below which the service does nothing."""
_LONGEST = 600.0
_IN_WORK = 4.0
"""Seconds after which a photo that was sent is in work, and SIGTERM comes."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--side", type=int, default=SIDE, help="of the photo, pixels")
    parser.add_argument("--together", type=int, default=2)
    parser.add_argument("--answer-seconds", type=float)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    print(HEAD, flush=True)
    for name in arguments.cases:
        photo = heavy_photo(name, arguments.seed, arguments.side)
        print(measured(photo, arguments.together, arguments.answer_seconds), flush=True)


def measured(photo: HeavyPhoto, together: int, answer_seconds: float | None) -> str:
    """One row of the table."""
    with tempfile.TemporaryDirectory() as folder:
        paths = checkout(Path(folder), answer_seconds)
        with serving(paths) as served, watched(served) as peak:
            begun, cpu = time.perf_counter(), served.cpu_seconds()
            with ThreadPoolExecutor(together) as clients:
                answers = list(clients.map(lambda _: ask(served.address, photo), range(together)))
            took = time.perf_counter() - begun
            works_on = until_idle(served.process)
            cpu = served.cpu_seconds() - cpu
            ends = ended(served, photo)
    sizes = (len(photo.image) + len(photo.mask or b"")) / _MEBIBYTE
    told = ", ".join(answers)
    figures = f"{took:.0f} | {cpu:.0f} | {peak[0]:.0f} | {works_on:.1f} | {ends:.1f}"
    return f"| {photo.name} | {sizes:.1f} | {together} | {told} | {figures} |"


def checkout(folder: Path, answer_seconds: float | None) -> Paths:
    """An empty checkout with this project's parameters."""
    shutil.copy(ASSETS.parent / "params.yaml", folder)
    if answer_seconds is not None:
        file = folder / "params.yaml"
        lines = file.read_text(encoding="utf-8").splitlines()
        own = [
            f"  answer_seconds: {answer_seconds}" if line.startswith("  answer_seconds:") else line for line in lines
        ]
        file.write_text("\n".join(own) + "\n", encoding="utf-8")
    return Paths(folder)


def ask(address: str, photo: HeavyPhoto) -> str:
    """Send a photo; gives the status, and the mode or the error's code."""
    files = {"image": photo.image} | ({} if photo.mask is None else {"mask": photo.mask})
    try:
        got = httpx.post(
            f"{address}/v1/restorations", files=files, data=photo.fields, timeout=_LONGEST, trust_env=False
        )
    except httpx.HTTPError as error:
        return type(error).__name__
    said = got.json()
    return f"{got.status_code} {said['mode'] if got.is_success else said['code']}"


@contextmanager
def watched(served: Served) -> Iterator[list[float]]:
    """The service's peak of resident memory in the block so far, MiB; children included."""
    peak, done = [0.0], Event()

    def watch() -> None:
        while not done.wait(_STEP):
            try:
                peak[0] = max(peak[0], served.mebibytes())
            except psutil.NoSuchProcess:
                return

    thread = Thread(target=watch)
    thread.start()
    try:
        yield peak
    finally:
        done.set()
        thread.join()


def until_idle(process: psutil.Process) -> float:
    """Seconds until a process does nothing."""
    begun = time.perf_counter()
    while time.perf_counter() - begun < _LONGEST:
        before = sum(process.cpu_times()[:2])
        time.sleep(_QUIET)
        if sum(process.cpu_times()[:2]) - before < _IDLE * _QUIET:
            break
    return time.perf_counter() - begun - _QUIET


def ended(served: Served, photo: HeavyPhoto) -> float:
    """Seconds from SIGTERM to the end of the process while the photo is in work."""
    with ThreadPoolExecutor(1) as client:
        client.submit(ask, served.address, photo)
        time.sleep(_IN_WORK)
        begun = time.perf_counter()
        os.kill(served.process.pid, 15)
        served.process.wait(_LONGEST)
        return time.perf_counter() - begun


if __name__ == "__main__":
    main()
