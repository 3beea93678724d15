"""Print the service's figures: where the time goes, load at 1, 4 and 16 clients, the A/B test, reload, memory.

`python -m scripts.benchmarks.service.measure_service --workspace build/demo [--part load] [--seconds 120] [--requests
10000]` The workspace needs two versions that passed the gate (a finished demo); a copy of it is served by `likeness
serve` in a process of its own, with this project's params.yaml. Load is open-loop
(scripts/benchmarks/service/open_loop.py): each client is a Poisson process of an eighth of what the service can do at
most, so 16 clients are twice too much. The sender runs on the same machine and takes about 3 % of a core. Latencies are
from the moment a photo was due.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx
import numpy as np
from scipy.stats import binom

from pipeline.config.load import load_params
from pipeline.registry.client import connect
from pipeline.registry.promotion import promote
from pipeline.registry.versions import champion_version, list_models
from scripts.benchmarks.service.open_loop import Answer, Load, Photos, saturate, send
from scripts.benchmarks.service.served_workspace import Served, copy_workspace, photos, serving

CLIENTS = (1, 4, 16)
SHARE_OF_CAPACITY = 1 / 8
PHOTOS = 40
OK, TOO_MANY = 200, 429
WARM = 12
SWAPS = 6
_CONFIDENCE = 0.99


class Bench:
    """The service under test, the photos sent to it, and how much it can do."""

    def __init__(self, served: Served, sent: Photos, seconds: float, requests: int) -> None:
        self.served, self.sent, self.seconds, self.requests = served, sent, seconds, requests
        self.params = load_params(served.paths.params)
        saturate(served.address, sent, WARM, 2, seed=1)
        self.capacity = self._capacity()
        print(f"\nAt most {self.capacity:.2f} photos/s, four at once.", flush=True)

    def _capacity(self) -> float:
        began = time.perf_counter()
        done = saturate(self.served.address, self.sent, PHOTOS, 4, seed=2)
        return sum(answer.status == OK for answer in done) / (time.perf_counter() - began)

    def load(self, clients: int, seed: int, meanwhile: Callable[[], None] | None = None) -> list[Answer]:
        """Answers to that many clients."""
        load = Load(clients, SHARE_OF_CAPACITY * self.capacity, self.seconds, seed)
        return send(self.served.address, load, self.sent, meanwhile=meanwhile)

    @property
    def versions(self) -> tuple[str, str]:
        """The champion, and another version that passed the gate."""
        name = self.params.registry.model_name
        champion = champion_version(self.served.paths, name)
        passed = [r.version for r in list_models(self.served.paths, name) if r.gate == "passed"]
        return champion, next(version for version in passed if version != champion)


def main() -> None:
    """Measure what is asked for and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workspace", type=Path, default=Path("build/demo"))
    parser.add_argument("--part", action="append", choices=PARTS, help="leave out for all but memory")
    parser.add_argument("--seconds", type=float, default=120.0, help="of each load")
    parser.add_argument("--requests", type=int, default=10_000, help="of the part memory")
    arguments = parser.parse_args()
    parts = arguments.part or [name for name in PARTS if name != "memory"]
    sent = photos(PHOTOS, seed=29)
    with tempfile.TemporaryDirectory() as folder:
        paths = copy_workspace(arguments.workspace.resolve(), Path(folder))
        with serving(paths) as served:
            bench = Bench(served, sent, arguments.seconds, arguments.requests)
            for part in parts:
                PARTS[part](bench)


def measure_stages(bench: Bench) -> None:
    """Where the time of one request goes when nobody else asks."""
    before, cpu = bench.served.stage_seconds(), bench.served.cpu_seconds()
    saturate(bench.served.address, bench.sent, PHOTOS, 1, seed=50)
    after, spent = bench.served.stage_seconds(), bench.served.cpu_seconds() - cpu
    print("\n| part | ms |\n|---|---|")
    for stage, seconds in after.items():
        print(f"| {stage} | {1000 * (seconds - before[stage]) / PHOTOS:.1f} |")
    print(f"| CPU of the process | {1000 * spent / PHOTOS:.0f} |", flush=True)


def measure_load(bench: Bench) -> None:
    """Latency and refusals at 1, 4 and 16 clients."""
    print("\n| clients | due, photos/s | answered, photos/s | p50, s | p99, s | 429 | other failures |")
    print("|---|---|---|---|---|---|---|")
    for clients in CLIENTS:
        answers = bench.load(clients, seed=100 + clients)
        good, full, failed = counts(answers)
        due, span = len(answers) / bench.seconds, max(answer.due + answer.seconds for answer in answers)
        low, high = quantiles(answers)
        print(f"| {clients} | {due:.2f} | {good / span:.2f} | {low:.2f} | {high:.2f} | {full} | {failed} |", flush=True)
        print_failures(answers)


def measure_ab(bench: Bench) -> None:
    """The same load without and with a challenger; the split of the subjects; whether it sticks."""
    client, name = connect(bench.served.paths), bench.params.registry.model_name
    without = _priced(bench)
    client.set_registered_model_alias(name, "challenger", bench.versions[1])
    wait_for(bench, bench.versions[1])
    tested, again = _priced(bench), _priced(bench)
    client.delete_registered_model_alias(name, "challenger")
    print("\n| A/B test | answered | p50, s | p99, s | CPU s per photo |\n|---|---|---|---|---|")
    for label, (answers, seconds) in (("off", without), ("on", tested), ("on, again", again)):
        good = counts(answers)[0]
        print("| {} | {} | {:.2f} | {:.2f} | {:.3f} |".format(label, good, *quantiles(answers), seconds / good))
    hits, total = sum(a.arm == "challenger" for a in tested[0]), counts(tested[0])[0]
    low, high = binom.interval(_CONFIDENCE, total, bench.params.ab.share)
    print(f"\nThe challenger got {hits} of {total} subjects; {low:.0f} to {high:.0f} is the 99 % interval: "
          f"{'inside' if low <= hits <= high else 'OUTSIDE'}.")  # fmt: skip
    print(f"{switched(tested[0], again[0])} of the subjects that came twice changed their arm.", flush=True)


def _priced(bench: Bench) -> tuple[list[Answer], float]:
    """Answers to four clients, always at the same moments, and the CPU seconds that the service spent on them."""
    before = bench.served.cpu_seconds()
    answers = bench.load(4, seed=200)
    return answers, bench.served.cpu_seconds() - before


def measure_reload(bench: Bench) -> None:
    """Promotions back and forth under load, each until the service follows: requests that failed, and who answered."""
    champion, other = bench.versions

    def swap() -> None:
        for number in range(SWAPS):
            time.sleep(bench.seconds / (2 * SWAPS))
            version = (other, champion)[number % 2]
            promote(bench.served.paths, bench.params.registry.model_name, version)
            wait_for(bench, version)

    answers = bench.load(4, seed=300, meanwhile=swap)
    good, full, failed = counts(answers)
    by = {version: sum(a.version == version for a in answers) for version in (champion, other)}
    print(f"\n{SWAPS} promotions under load: {good} answered (by version: {by}), {full} x 429, {failed} failed; "
          f"p99 {quantiles(answers)[1]:.2f} s.", flush=True)  # fmt: skip
    print_failures(answers)


def measure_memory(bench: Bench) -> None:
    """Resident memory over many requests."""
    print("\n| requests | resident, MiB | over the first figure |\n|---|---|---|")
    steps = 10
    first = 0.0
    for step in range(steps + 1):
        if step:
            saturate(bench.served.address, bench.sent, bench.requests // steps, 4, seed=400 + step)
        now = bench.served.mebibytes()
        first = first or now
        print(f"| {step * (bench.requests // steps)} | {now:.0f} | {now / first - 1:+.1%} |", flush=True)


PARTS: dict[str, Callable[[Bench], None]] = {
    "stages": measure_stages,
    "load": measure_load,
    "ab": measure_ab,
    "reload": measure_reload,
    "memory": measure_memory,
}


def counts(answers: Sequence[Answer]) -> tuple[int, int, int]:
    """Answered, refused for want of room, failed."""
    good, full = (sum(answer.status == status for answer in answers) for status in (OK, TOO_MANY))
    return good, full, len(answers) - good - full


def print_failures(answers: Sequence[Answer]) -> None:
    """To stderr, what failed and when; status 0 is a connection that broke."""
    for answer in answers:
        if answer.status not in (OK, TOO_MANY):
            what = f"status {answer.status}, due at {answer.due:.1f} s, {answer.seconds:.1f} s later"
            print(what, file=sys.stderr, flush=True)


def quantiles(answers: Sequence[Answer]) -> tuple[float, float]:
    """Median and 99th percentile of the seconds of those that were answered; NaN for none."""
    good = [answer.seconds for answer in answers if answer.status == OK]
    low, high = np.quantile(good or [np.nan], (0.5, 0.99))
    return float(low), float(high)


def switched(first: Sequence[Answer], second: Sequence[Answer]) -> int:
    """Subjects that were served by both arms."""
    arms = {answer.subject: answer.arm for answer in first if answer.status == OK}
    return sum(answer.status == OK and arms.get(answer.subject, answer.arm) != answer.arm for answer in second)


def wait_for(bench: Bench, serving: str) -> None:
    """Until /metrics says that this version serves in some arm.

    Raises:
        RuntimeError: it does not within three minutes.
    """
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        metrics_text = httpx.get(f"{bench.served.address}/metrics", timeout=30.0, trust_env=False).text
        now = {line for line in metrics_text.splitlines() if line.startswith("likeness_model_info")}
        if serving in {line.split('version="')[1].split('"')[0] for line in now}:
            return
        time.sleep(0.5)
    raise RuntimeError(f"version {serving} does not serve")


if __name__ == "__main__":
    main()
