"""Read portraits and push and pull DVC's data through an S3 server that refuses, is slow, cuts and damages bodies.

Asked for: what arrives is right to the bit; what does not is named, and comes once the fault is over. DVC's remote has
`verify = true` (docs/dvc.md), without which DVC believes what a remote sends.
"""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import boto3
import numpy as np

from models.assets import ASSETS
from models.errors import DataError, ServiceUnavailable
from pipeline.config.load import load_params
from pipeline.image_io.outcome import Accepted, Code, Limits
from pipeline.sources.s3 import portraits
from scripts.faults.drill import Drill
from scripts.faults.environment import variables
from scripts.faults.faulty_server import FAULTS, Plan, faulty_server
from scripts.finding import Finding, counted
from scripts.hostile.bad_files import encoded, portrait

BUCKET, PICTURES = "family", 4
_ONCE, _LONG = 1, 12
"""Requests that meet a fault that passes, and one that lasts longer than clients try again."""
_SECONDS = 300


def try_faults(drill: Drill) -> list[Finding]:
    """Try each fault, once and lasting, on what reads and writes S3."""
    with faulty_server() as (address, plan), _leading_to(address):
        boto3.client("s3").create_bucket(Bucket=BUCKET)
        return [_ingest(drill, plan), _dvc(drill, plan, "pull"), _dvc(drill, plan, "push"), _damaged_at_rest(drill)]


def _leading_to(address: str) -> AbstractContextManager[None]:
    """Let the environment lead every client to the server."""
    return variables(
        {
            "AWS_ENDPOINT_URL_S3": address,
            "AWS_ACCESS_KEY_ID": "faults",
            "AWS_SECRET_ACCESS_KEY": "faults",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
    )


def _ingest(drill: Drill, plan: Plan) -> Finding:
    """Read portraits as `ingest` does."""
    client = boto3.client("s3")
    for number in range(PICTURES):
        shade = portrait().point(lambda level, number=number: max(0, level - 9 * number))
        client.put_object(Bucket=BUCKET, Key=f"people/{number}.png", Body=encoded(shade, "PNG"))
    truth, misses = _read(drill.work / "truth"), list[str]()
    for fault in FAULTS:
        for times in (_ONCE, _LONG):
            cache = drill.work / f"{fault} {times}"
            plan.begin(fault, times)
            read = _read(cache)
            told = f"{fault} x {times}"
            misses += [f"{told}: {name} is {what}" for name, what in read.items() if what not in (truth[name], "named")]
            misses += [] if plan.met else [f"{told}: no request met it"]
            plan.begin("", 0)
            misses += [
                f"{told}: {name} does not come afterwards" for name, what in _read(cache).items() if what != truth[name]
            ]
    claim = f"portraits read from S3 through {', '.join(FAULTS)}; once and {_LONG} times"
    return counted(claim, "each right to the bit or refused by name, and there afterwards", misses, 2 * len(FAULTS))


def _read(cache: Path) -> Mapping[str, str]:
    """Read all portraits: digests of pixels, or `named` for one that was refused with its reason."""
    params = load_params(ASSETS.parent / "params.yaml")
    found = dict.fromkeys((f"{number}.png" for number in range(PICTURES)), "not listed")
    try:
        for item in portraits(f"s3://{BUCKET}/people", params.data.identity_pattern, Limits.of(params.ingest), cache):
            outcome = item.read()
            if isinstance(outcome, Accepted):
                found[item.name] = str(hash(np.asarray(outcome.image).tobytes()))
            else:
                found[item.name] = "named" if outcome.code == Code.NOT_AS_STORED else str(outcome)
    except (DataError, ServiceUnavailable):  # names what was being read; nothing after it is read
        return {name: "named" if what == "not listed" else what for name, what in found.items()}
    return found


def _dvc(drill: Drill, plan: Plan, command: str) -> Finding:
    """Push or pull under each fault, then without."""
    whole, misses = _pushed(drill.work / command), list[str]()
    for fault in FAULTS:
        for times in (_ONCE, _LONG):
            told = f"{fault} x {times}"
            _forget(whole, command)
            plan.begin(fault, times)
            failed = _run(whole, command)
            misses += [] if plan.met else [f"{told}: no request met it"]
            plan.begin("", 0)
            if command == "push" and not failed:  # then everything is there
                failed = _pulled_anew(whole)
                misses += [f"{told}: pushed without a word, then {failed}"] if failed else []
            misses += _wrong(whole, told, failed)
            failed = _run(whole, command) or ("" if command == "pull" else _pulled_anew(whole))
            misses += [f"{told}: afterwards {failed}"] if failed else _wrong(whole, f"{told}, afterwards", "")
    asked = "each file right to the bit or missing by name, and there afterwards"
    return counted(
        f"`dvc {command}` through {', '.join(FAULTS)}; once and {_LONG} times", asked, misses, 2 * len(FAULTS)
    )


def _damaged_at_rest(drill: Drill) -> Finding:
    """Pull what was damaged on the remote itself."""
    whole, client = _pushed(drill.work / "rest"), boto3.client("s3")
    keys = [entry["Key"] for entry in client.list_objects_v2(Bucket=BUCKET, Prefix="store/rest/")["Contents"]]
    for key in keys:
        content = client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        client.put_object(Bucket=BUCKET, Key=key, Body=bytes([content[0] ^ 1]) + content[1:])
    _forget(whole, "pull")
    failed = _run(whole, "pull")
    misses = [*_wrong(whole, "damaged at rest", failed), *([] if failed else ["`dvc pull` did not fail"])]
    return counted("objects damaged on DVC's remote", "0 pulled, and `dvc pull` fails", misses, len(keys))


def _pushed(root: Path) -> Path:
    """Make a repository of three files that are on the remote."""
    root.mkdir(parents=True)
    for command in (("git", "init", "--quiet"), _command("init", "--quiet"),
                    _command("remote", "add", "-d", "store", f"s3://{BUCKET}/store/{root.name}"),
                    _command("remote", "modify", "store", "verify", "true")):  # fmt: skip
        subprocess.run(command, cwd=root, check=True, capture_output=True)  # noqa: S603 - our own commands
    for name, content in _files().items():
        (root / name).write_bytes(content)
    for command in (_command("add", *_files()), _command("push")):
        subprocess.run(command, cwd=root, check=True, capture_output=True)  # noqa: S603 - our own commands
    return root


def _files() -> dict[str, bytes]:
    rng = np.random.default_rng(5)
    return {f"{number}.bin": rng.bytes(20_000 + number) for number in range(3)}


def _command(*arguments: str) -> tuple[str, ...]:
    return sys.executable, "-m", "dvc", *arguments


def _run(root: Path, command: str) -> str:
    """Run DVC; what it said if it failed, else nothing."""
    done = subprocess.run(  # noqa: S603 - our own command
        _command(command), cwd=root, capture_output=True, text=True, check=False, timeout=_SECONDS
    )
    return (done.stderr[-300:] or "no word") if done.returncode else ""


def _forget(root: Path, command: str) -> None:
    """Take away what the command shall bring: files and cache, or what is on the remote."""
    if command == "pull":
        shutil.rmtree(root / ".dvc/cache", ignore_errors=True)
        for name in _files():
            (root / name).unlink(missing_ok=True)
        return
    client = boto3.client("s3")
    for entry in client.list_objects_v2(Bucket=BUCKET, Prefix=f"store/{root.name}/").get("Contents", ()):
        client.delete_object(Bucket=BUCKET, Key=entry["Key"])


def _pulled_anew(root: Path) -> str:
    """Pull what was pushed; what DVC said if that failed."""
    _forget(root, "pull")
    return _run(root, "pull")


def _wrong(root: Path, told: str, failed: str) -> list[str]:
    """Tell which files are there and not right, or not there though the command did not fail."""
    found = {name: (root / name).read_bytes() for name in _files() if (root / name).is_file()}
    wrong = [f"{told}: {name} is damaged" for name, content in found.items() if content != _files()[name]]
    missing = [f"{told}: {name} is missing without a word" for name in _files() if name not in found and not failed]
    return wrong + missing
