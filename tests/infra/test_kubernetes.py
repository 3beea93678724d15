"""The Kubernetes objects: valid by Kubernetes' schemas, locked down; what runs code is apart from what writes."""

from collections.abc import Iterable
from typing import Any

import kubernetes_validate
import pytest
from ruamel.yaml import YAML

from cli.main import COMMANDS
from flows.local.services import child_environment
from pipeline.project.paths import Paths
from serving.service import LAST_SECONDS
from tests.conftest import ROOT

FOLDER = ROOT / "infra" / "kubernetes"
SHARED = "ReadWriteMany"


def read(name: str) -> list[Any]:
    return list(YAML(typ="safe").load_all((FOLDER / name).read_text(encoding="utf-8")))


KUSTOMIZATION = read("kustomization.yaml")[0]
OBJECTS = [one for name in KUSTOMIZATION["resources"] for one in read(name)]


def pods(*names: str) -> dict[str, dict[str, Any]]:
    """Specifications of the pods of deployments, of all without names."""
    found = {one["metadata"]["name"]: one["spec"]["template"]["spec"] for one in OBJECTS if one["kind"] == "Deployment"}
    return {name: pod for name, pod in found.items() if not names or name in names}


def containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    return [*pod.get("initContainers", ()), *pod["containers"]]


def claims_of(pod: dict[str, Any]) -> dict[str, str]:
    """Name of the claim by name of the pod's volume."""
    volumes = pod["volumes"]
    return {one["name"]: one["persistentVolumeClaim"]["claimName"] for one in volumes if "persistentVolumeClaim" in one}


def mounts(pod: dict[str, Any], *, written: bool) -> set[str]:
    """Paths of claims that some container of the pod mounts, those that it may write or the others."""
    claims = claims_of(pod)
    every = (mount for one in containers(pod) for mount in one["volumeMounts"] if mount["name"] in claims)
    return {mount["mountPath"] for mount in every if written is not mount.get("readOnly", False)}


def sources(pod: dict[str, Any], kind: str) -> set[str]:
    """ConfigMaps or Secrets that the pod's containers read."""
    return {one[kind]["name"] for each in containers(pod) for one in each.get("envFrom", ()) if kind in one}


def literals(names: Iterable[str]) -> dict[str, str]:
    made = {one["name"]: one["literals"] for one in KUSTOMIZATION["configMapGenerator"]}
    return dict(line.split("=", 1) for name in names for line in made[name])


@pytest.mark.parametrize("found", OBJECTS, ids=lambda one: f"{one['kind']} {one['metadata']['name']}")
def test_an_object_fits_its_schema(found: dict[str, Any]) -> None:
    kubernetes_validate.validate(found, "1.37", strict=True)


def test_a_field_that_kubernetes_does_not_know_is_found() -> None:
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate({**OBJECTS[0], "spce": {}}, "1.37", strict=True)


def test_every_file_is_applied() -> None:
    assert {file.name for file in FOLDER.iterdir()} == {*KUSTOMIZATION["resources"], "kustomization.yaml"}


def test_what_is_referred_to_is_there() -> None:
    claims = {one["metadata"]["name"] for one in OBJECTS if one["kind"] == "PersistentVolumeClaim"}
    comment = (FOLDER / "kustomization.yaml").read_text(encoding="utf-8")
    for pod in pods().values():
        volumes = {one["name"] for one in pod["volumes"]}
        assert set(claims_of(pod).values()) <= claims
        for one in containers(pod):
            assert {mount["name"] for mount in one["volumeMounts"]} <= volumes
        assert literals(sources(pod, "configMapRef"))
        assert all(f"create secret generic {name} " in comment for name in sources(pod, "secretRef"))


def test_the_service_writes_nothing_that_the_worker_executes() -> None:
    service, worker = pods("service")["service"], pods("worker")["worker"]
    assert mounts(service, written=False) == {"/var/lib/likeness"}
    assert mounts(service, written=True) == {"/var/lib/likeness-service"}
    assert mounts(worker, written=True) == {"/var/lib/likeness", "/var/lib/likeness-service"}
    known = sources(service, "secretRef") | sources(service, "configMapRef")
    assert not [name for name in known if name.endswith("-worker")]
    assert not [name for name in literals(sources(service, "configMapRef")) if name.startswith(("PREFECT", "AWS"))]


def test_a_claim_that_several_nodes_write_is_opened_by_one_pod_of_a_deployment() -> None:
    shared = {
        one["metadata"]["name"]
        for one in OBJECTS
        if one["kind"] == "PersistentVolumeClaim" and SHARED in one["spec"]["accessModes"]
    }
    for one in (one for one in OBJECTS if one["kind"] == "Deployment"):
        assert shared & set(claims_of(one["spec"]["template"]["spec"]).values())
        assert one["spec"]["replicas"] == 1
        assert one["spec"]["strategy"] == {"type": "Recreate"}  # a rolling update would run two for a while


def test_a_run_s_settings_are_those_of_likeness_up() -> None:
    wanted = child_environment(Paths(ROOT), 4200)
    given = literals(sources(pods("worker")["worker"], "configMapRef"))
    assert given["PREFECT_LOGGING_EXTRA_LOGGERS"] == wanted["PREFECT_LOGGING_EXTRA_LOGGERS"]


def test_commands_exist() -> None:
    called = [one["args"] for pod in pods().values() for one in containers(pod) if "args" in one]
    assert called
    assert {command[0] for command in called} <= set(COMMANDS)


def test_a_pod_is_locked_down_and_says_what_it_needs() -> None:
    assert set(pods()) == {"service", "worker"}
    for pod in pods().values():
        assert pod["securityContext"]["runAsNonRoot"] is True
        for container in containers(pod):
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}, container["name"]
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert container["resources"]["requests"]
            assert container["resources"]["limits"]["memory"]
        for container in (one for one in containers(pod) if one["name"] != "wait"):
            assert {"/tmp", "/home/likeness"} <= {mount["mountPath"] for mount in container["volumeMounts"]}


def test_the_service_is_probed_and_outlives_its_longest_answer() -> None:
    spec = pods("service")["service"]
    probes = {name: spec["containers"][0][name]["httpGet"]["path"] for name in ("readinessProbe", "livenessProbe")}
    assert probes == {"readinessProbe": "/readyz", "livenessProbe": "/healthz"}
    serve = YAML(typ="safe").load((ROOT / "params.yaml").read_text(encoding="utf-8"))["serve"]
    longest = max(serve["answer_seconds"], serve["shutdown_seconds"] + 2 * LAST_SECONDS)
    assert spec["terminationGracePeriodSeconds"] > longest
