"""prefect.yaml, for `prefect deploy --all`: the deployments that `likeness deploy` makes, from the same plan.

What depends on the machine (root, revision, interpreter) is not in the file: the step `prepare` gives it when Prefect
deploys.
"""

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from flows.deployment.automations import (
    DRIFT_STARTS,
    automate,
    automations,
    drift_trigger,
    remove_automations,
    switched_off,
)
from flows.deployment.plan import NAME, POOL, RUN_ENVIRONMENT, SLUG, Planned, plan, plan_at
from pipeline.project.files import write_text
from pipeline.project.paths import Paths

FILE = "prefect.yaml"
_STEP = "likeness"
_PREPARE = "flows.deployment.prefect_yaml.prepare"
_HEAD = f"""\
# Written by `make prefect-yaml` (flows/deployment/prefect_yaml.py): the deployments of `likeness deploy`.
#   prefect work-pool create {POOL} --type process      (or `likeness up`, which makes it)
#   prefect deploy --all
"""


def description() -> dict[str, Any]:
    """Describe the file's content."""
    planned = plan_at(_given("root"), _given("revision"), "refuse")
    return {"name": "likeness", "pull": [], "deployments": [_deployment(entry) for entry in planned]}


def prepare(flow: str) -> dict[str, Any]:
    """Make ready what prefect.yaml cannot express; give the values of the placeholders of a flow's deployment.

    Prefect calls it, in the project's folder, as a step of `prefect deploy`. The automation that drift starts cycles by
    is Prefect's to make then, so that of `likeness deploy` goes.
    """
    from prefect.client.orchestration import get_client

    (entry,) = (entry for entry in plan(Paths(Path.cwd())) if entry.name == flow)
    with get_client(sync_client=True) as client:
        automate(client, automations()[-1])
        enabled = DRIFT_STARTS not in switched_off(client)
        if flow == "cycle":
            remove_automations(client, DRIFT_STARTS)
    return {
        "root": entry.working_dir,
        "revision": entry.parameters.get("revision", ""),
        "version": entry.digest,
        "command": entry.command,
        "collision_strategy": entry.collision_strategy,
        "enabled": enabled,
    }


def _deployment(entry: Planned) -> dict[str, Any]:
    schedule = {
        "interval": int(entry.every.total_seconds()),
        "anchor_date": entry.anchor.isoformat(),
        "timezone": "UTC",
        "slug": SLUG,
    }
    variables = entry.job_variables | {"command": _given("command"), "env": dict(RUN_ENVIRONMENT)}
    described: dict[str, Any] = {
        "name": NAME,
        "entrypoint": entry.flow.replace(":", "."),
        "version": _given("version"),
        "build": [{_PREPARE: {"id": _STEP, "flow": entry.name}}],
        "parameters": dict(entry.parameters),
        "concurrency_limit": {"limit": 1, "collision_strategy": _given("collision_strategy")},
        "schedules": [schedule],
        "work_pool": {"name": POOL, "job_variables": variables},
    }
    triggers = [drift_trigger() | {"enabled": _given("enabled")}]
    return described | ({"triggers": triggers} if entry.name == "cycle" else {})


def _given(name: str) -> str:
    return f"{{{{ {_STEP}.{name} }}}}"


def main() -> None:
    """Write the file of the project in the working directory."""
    from io import StringIO

    yaml = YAML()
    yaml.width = 1000
    yaml.representer.ignore_aliases = lambda *_: True
    stream = StringIO()
    yaml.dump(description(), stream)
    write_text(Path(FILE), _HEAD + stream.getvalue())


if __name__ == "__main__":
    main()
