"""The pool of jobs: prefect-kubernetes' own classes render its template, and Kubernetes' schema takes the result."""

import asyncio
import json
import shutil
import subprocess
from typing import Any
from uuid import uuid4

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from flows.deployment.kubernetes_pool import TEMPLATE, template
from flows.deployment.plan import plan_at
from tests.conftest import ROOT

KUBERNETES, JOBS = ROOT / "infra" / "kubernetes", ROOT / "infra" / "kubernetes-jobs"
VERSION = "1.33"
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / TEMPLATE).read_text(encoding="utf-8"))
    return found


def rendered(made: dict[str, Any], **values: Any) -> dict[str, Any]:
    """The manifest of a cycle's job, as the worker makes it with a deployment's variables."""
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.objects import FlowRun
    from prefect.settings import PREFECT_API_URL, temporary_settings
    from prefect_kubernetes.worker import KubernetesWorkerJobConfiguration

    cycle = plan_at("/var/lib/likeness/state/production", "0" * 40, "refuse")[0]
    variables = {**cycle.job_variables, **values}
    nobody = PrefectClient("http://127.0.0.1:9/api")  # the template refers to nothing on a server
    build = KubernetesWorkerJobConfiguration.from_template_and_values(made, variables, client=nobody)
    with temporary_settings({PREFECT_API_URL: "http://prefect:4200/api"}):
        configuration = asyncio.run(build)
        configuration.prepare_for_flow_run(FlowRun(id=uuid4(), name="cycle: by hand", flow_id=uuid4()))
    manifest: dict[str, Any] = json.loads(json.dumps(configuration.job_manifest))
    return manifest


def test_the_file_is_what_the_worker_s_pod_and_prefect_s_template_say(made: dict[str, Any]) -> None:
    assert made == template(ROOT)


def test_it_knows_every_variable_of_prefect_s_worker_and_asks_for_a_gpu(made: dict[str, Any]) -> None:
    from prefect_kubernetes.worker import KubernetesWorker

    known = set(KubernetesWorker.get_default_base_job_template()["variables"]["properties"])
    assert set(made["variables"]["properties"]) == known | {"gpus", "working_dir"}
    Draft202012Validator.check_schema(made["variables"])
    cycle = plan_at("/root", "0" * 40, "refuse")[0]
    Draft202012Validator(made["variables"]).validate(cycle.job_variables)


@pytest.mark.parametrize("values", [{}, {"gpus": 0}, {"gpus": 2, "cpu_limit": "8", "image": "registry/likeness:7"}])
def test_a_job_is_one_that_kubernetes_takes(made: dict[str, Any], values: dict[str, Any]) -> None:
    import kubernetes_validate

    manifest = rendered(made, **values)
    kubernetes_validate.validate(manifest, VERSION, strict=True)
    (container,) = manifest["spec"]["template"]["spec"]["containers"]
    assert container["resources"]["limits"]["nvidia.com/gpu"] == values.get("gpus", 1)
    assert container["image"] == values.get("image", "likeness:local")
    assert container["command"] == ["/usr/bin/env"]
    assert container["args"][1:3] == ["-m", "flows.deployment.worker_entrypoint"]
    assert container["workingDir"] == "/var/lib/likeness/state/production"
    assert {"name": "PREFECT_FLOWS_HEARTBEAT_FREQUENCY", "value": "30"} in container["env"]


def test_a_job_lives_like_the_process_worker(made: dict[str, Any]) -> None:
    worker = YAML(typ="safe").load((KUBERNETES / "worker.yaml").read_text(encoding="utf-8"))["spec"]["template"]["spec"]
    pod = rendered(made)["spec"]["template"]["spec"]
    (container,), (own,) = pod["containers"], worker["containers"]
    assert (pod["volumes"], container["volumeMounts"]) == (worker["volumes"], own["volumeMounts"])
    assert container["securityContext"] == own["securityContext"]
    assert pod["securityContext"] == worker["securityContext"]


def test_the_worker_of_jobs_and_its_rights_are_valid_and_know_the_addresses_of_the_others() -> None:
    import kubernetes_validate

    read = YAML(typ="safe")
    kustomization = read.load((JOBS / "kustomization.yaml").read_text(encoding="utf-8"))
    listed = [name for name in kustomization["resources"] if not name.startswith("..")]
    objects = [one for name in listed for one in read.load_all((JOBS / name).read_text(encoding="utf-8"))]
    for one in objects:
        kubernetes_validate.validate(one, VERSION, strict=True)
    base = read.load((KUBERNETES / "kustomization.yaml").read_text(encoding="utf-8"))
    known = {literal for one in base["configMapGenerator"] for literal in one["literals"]}
    (settings,) = [one for one in kustomization["configMapGenerator"] if one["name"] == "likeness-jobs"]
    assert set(settings["literals"]) - known == {"LIKENESS_DEVICE=cuda"}
    assert kustomization["images"] == base["images"]
    (worker,) = [one["spec"]["template"]["spec"] for one in objects if one["kind"] == "Deployment"]
    addresses = {f"{one['name']}={one['value']}" for one in worker["containers"][0]["env"]}
    assert {one for one in addresses if one.startswith("PREFECT_API_URL")} <= known
    process = read.load((KUBERNETES / "worker.yaml").read_text(encoding="utf-8"))["spec"]["template"]["spec"]
    secrets = [one for one in process["containers"][0]["envFrom"] if "secretRef" in one]
    used = worker["containers"][0]["envFrom"]  # Prefect's password, and no key of the log
    assert used == [{"secretRef": {"name": "likeness-worker"}}]
    assert used[0] in secrets


def test_kustomize_builds_it_beside_the_process_worker() -> None:
    if shutil.which("kubectl") is None:
        pytest.skip("no kubectl on this machine")
    command = ["kubectl", "kustomize", str(JOBS)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    objects = list(YAML(typ="safe").load_all(done.stdout))
    names = {(one["kind"], one["metadata"]["name"]) for one in objects}
    assert {("Deployment", "worker"), ("Deployment", "worker-of-jobs")} <= names
    assert {("ConfigMap", "likeness-jobs"), ("Role", "jobs")} <= names
