"""Let schemathesis derive requests from the service's own description: all its checks, and its stateful phase."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import strategies

from models.assets import ASSETS
from scripts.finding import Finding, counted
from scripts.hostile.bad_files import encoded, portrait
from scripts.hostile.victim import Siege

EXAMPLES = 15
"""Of each operation and phase."""
_LEFT_OUT = {
    "positive_data_acceptance": "bytes of a schema's `format: binary` are no picture",
    "missing_required_header": "there are none but Accept's",
}
"""Checks that ask for what an API of pictures does not promise."""
_SECONDS = 900
_PICTURE = encoded(portrait().resize((64, 80)), "PNG")


schemathesis.openapi.format("binary", strategies.one_of(strategies.just(_PICTURE), strategies.binary()))
"""Half of the files of forms are a picture that can be read: some requests succeed."""


def attack(siege: Siege) -> list[Finding]:
    """Attack by the schema."""
    report = siege.work / "schemathesis.ndjson"
    address = siege.victim.served.address
    command = [
        str(Path(sys.executable).with_name("schemathesis")), "run", f"{address}/openapi.json", "--checks", "all",
        "--exclude-checks", ",".join(_LEFT_OUT), "--phases", "examples,coverage,fuzzing,stateful", "--seed",
        str(siege.seed), "--max-examples", str(EXAMPLES), "--header",
        f"Authorization: Bearer {siege.victim.tokens['admin']}", "--report", "ndjson", "--report-ndjson-path",
        str(report), "--generation-database", "none", "--request-timeout", "90", "--continue-on-failure", "--no-color",
    ]  # fmt: skip
    environment = os.environ | {"SCHEMATHESIS_HOOKS": __name__, "PYTHONPATH": str(ASSETS.parent)}
    done = subprocess.run(  # noqa: S603 - its own command
        command, capture_output=True, text=True, check=False, timeout=_SECONDS, env=environment, cwd=siege.work
    )
    failures, trials = read_report(report) if report.is_file() else ([done.stdout[-500:] + done.stderr[-300:]], 0)
    (siege.work / "schemathesis.txt").write_text(done.stdout, encoding="utf-8")
    return [counted("schemathesis, all checks and stateful", "0 failures", failures, trials)]


def read_report(file: Path) -> tuple[list[str], int]:
    """Read schemathesis' events: each different failure, and how many requests were made."""
    failures, trials, followed = dict[str, None](), 0, False
    for line in file.read_text(encoding="utf-8").splitlines():
        for name, event in json.loads(line).items():
            found, made = _of_event(name, event)
            failures |= dict.fromkeys(found)
            trials += made
            followed |= made > 1 and event.get("phase") == "stateful"
    return [*failures, *([] if followed else ["no link was followed in the stateful phase"])], trials


def _of_event(name: str, event: dict[str, Any]) -> tuple[list[str], int]:
    if name != "ScenarioFinished":
        return [], 0
    recorder = event["recorder"]
    found = []
    for identity, checks in recorder.get("checks", {}).items():
        for check in checks:
            if check["status"] == "failure":
                case = recorder["cases"][identity]["value"]
                failure = check.get("failure_info", {}).get("failure", {})
                found.append(f"{case.get('method')} {case.get('path')}: {check['name']}: {failure.get('title', '')}")
    return found, len(recorder.get("interactions", {}))
