"""Compose, Kubernetes and the image: what can be known of them without building or starting anything."""

import re
import shutil
import subprocess
from typing import Any

import pytest
from ruamel.yaml import YAML

from cli.main import COMMANDS
from serving.service import LAST_SECONDS
from tests.conftest import ROOT

INFRA = ROOT / "infra"
ROOT = INFRA.parent
OWN = "likeness"


def read(name: str) -> Any:
    return YAML(typ="safe").load((INFRA / name).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = read("compose.yaml")["services"]
    return found


@pytest.fixture(scope="module")
def objects() -> list[dict[str, Any]]:
    """What `kubectl apply -k` would send."""
    if shutil.which("kubectl") is None:
        pytest.skip("no kubectl on this machine")
    command = ["kubectl", "kustomize", str(INFRA / "kubernetes")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return list(YAML(typ="safe").load_all(done.stdout))


def test_everything_that_compose_refers_to_is_there(services: dict[str, dict[str, Any]]) -> None:
    volumes = set(read("compose.yaml")["volumes"])
    for name, service in services.items():
        assert set(service.get("depends_on", ())) <= set(services), name
        for mount in service.get("volumes", ()):
            source = mount.split(":")[0]
            assert (INFRA / source).exists() if source.startswith(".") else source in volumes, mount


def test_waiting_for_health_needs_a_health_check(services: dict[str, dict[str, Any]]) -> None:
    checked = {name for name, service in services.items() if "test" in service.get("healthcheck", {})} | {"service"}
    for service in services.values():
        waits = service.get("depends_on", {})
        asked = (
            {n for n, c in waits.items() if c["condition"] == "service_healthy"} if isinstance(waits, dict) else set()
        )
        assert asked <= checked


def test_only_the_service_is_open_to_others(services: dict[str, dict[str, Any]]) -> None:
    open_ports = {name for name, one in services.items() for port in one.get("ports", ()) if port.count(":") == 1}
    assert open_ports == {"service"}


def test_every_password_comes_from_outside(services: dict[str, dict[str, Any]]) -> None:
    text = (INFRA / "compose.yaml").read_text(encoding="utf-8")
    asked = set(re.findall(r"\$\{(\w+)", text))
    example = (INFRA / "example.env").read_text(encoding="utf-8")
    assert asked == set(re.findall(r"^(\w+)=", example, re.M))
    assert not re.search(r"^\w+=\S", example, re.M)
    for service in services.values():
        for name, value in service.get("environment", {}).items():
            assert not re.search("PASSWORD|SECRET|LOG_KEY", name) or value.startswith("${"), name


def test_prefect_and_mlflow_ask_for_a_password_and_their_clients_know_it(services: dict[str, dict[str, Any]]) -> None:
    for service in services.values():
        listens = " ".join([*service.get("entrypoint", ()), *service.get("command", ())])
        given = service.get("environment", {})
        if "prefect server start --host 0.0.0.0" in listens:
            assert given["PREFECT_SERVER_API_AUTH_STRING"] == "likeness:${PREFECT_PASSWORD}"
        if "mlflow server --host=0.0.0.0" in listens:
            assert "--app-name=basic-auth" in listens
            assert given["MLFLOW_AUTH_ADMIN_PASSWORD"] == "${MLFLOW_PASSWORD}"
            assert (INFRA / given["MLFLOW_AUTH_CONFIG_PATH"].removeprefix("/app/infra/")).is_file()
    for name in ("service", "worker", "deploy"):
        given = services[name]["environment"]
        assert given["PREFECT_API_AUTH_STRING"].startswith("likeness:${PREFECT_PASSWORD:?")
        assert given["MLFLOW_TRACKING_PASSWORD"].startswith("${MLFLOW_PASSWORD:?")


def test_foreign_images_are_pinned(services: dict[str, dict[str, Any]]) -> None:
    for service in services.values():
        name, _, tag = service["image"].partition(":")
        assert tag, name
        assert tag != "latest", name


def test_commands_exist(services: dict[str, dict[str, Any]], objects: list[dict[str, Any]]) -> None:
    called = [one["command"] for one in services.values() if one["image"].startswith(OWN) and one.get("command")]
    pods = [one["spec"]["template"]["spec"] for one in objects if one["kind"] == "Deployment"]
    called += [one["args"] for pod in pods for one in pod["containers"] if "args" in one]
    assert len(called) >= 3
    assert {command[0] for command in called} <= set(COMMANDS)


def test_a_pod_is_locked_down_and_says_what_it_needs(objects: list[dict[str, Any]]) -> None:
    pods = [one["spec"]["template"]["spec"] for one in objects if one["kind"] == "Deployment"]
    assert len(pods) == 2
    for pod in pods:
        assert pod["securityContext"]["runAsNonRoot"] is True
        for container in [*pod["containers"], *pod.get("initContainers", ())]:
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}, container["name"]
            assert container["resources"]["requests"]
            assert container["resources"]["limits"]["memory"]


def test_the_service_is_probed_and_outlives_its_longest_answer(objects: list[dict[str, Any]]) -> None:
    pod = next(one for one in objects if one["kind"] == "Deployment" and one["metadata"]["name"] == "service")
    spec = pod["spec"]["template"]["spec"]
    probes = {name: spec["containers"][0][name]["httpGet"]["path"] for name in ("readinessProbe", "livenessProbe")}
    assert probes == {"readinessProbe": "/readyz", "livenessProbe": "/healthz"}
    serve = YAML(typ="safe").load((ROOT / "params.yaml").read_text(encoding="utf-8"))["serve"]
    longest = max(serve["answer_seconds"], serve["shutdown_seconds"] + 2 * LAST_SECONDS)
    assert spec["terminationGracePeriodSeconds"] > longest
    budget = next(one for one in objects if one["kind"] == "PodDisruptionBudget")
    assert budget["spec"]["selector"] == pod["spec"]["selector"]
    assert budget["spec"]["minAvailable"] < pod["spec"]["replicas"]


def test_the_image_runs_the_pinned_versions_as_nobody_special() -> None:
    lines = (INFRA / "Dockerfile").read_text(encoding="utf-8")
    assert re.search(r"^RUN .*infra/install-python-packages /opt/venv$", lines, re.M)
    assert "--constraint constraints.txt" in (INFRA / "install-python-packages").read_text(encoding="utf-8")
    final = lines.rpartition("\nFROM ")[2]
    assert re.search(r"^USER 10001$", final, re.M)
    assert re.search(r"^HEALTHCHECK ", final, re.M)


def test_the_image_copies_what_exists() -> None:
    copied = re.findall(
        r"^COPY (?!--from)(?:--\S+ )*(.+) \S+$", (INFRA / "Dockerfile").read_text(encoding="utf-8"), re.M
    )
    sources = [source for line in copied for source in line.split()]
    assert len(sources) > 10
    for source in sources:
        assert (ROOT / source).exists(), source
    packages = re.search(r"^root_packages = \[(.*)\]", (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.M)
    assert packages is not None
    assert set(re.findall(r'"(\w+)"', packages[1])) <= set(sources)
