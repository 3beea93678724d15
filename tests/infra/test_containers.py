"""Compose and the image: what can be known of them without building or starting anything.

`python -m scripts.containers.check` builds the image and runs its parts; it takes too long for a test.
"""

import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from ruamel.yaml import YAML

from cli.main import COMMANDS
from flows.local.services import child_environment
from pipeline.project.paths import Paths
from tests.conftest import ROOT
from tests.postgres import Postgres, running
from tests.programs import absent

INFRA = ROOT / "infra"
OWN = "likeness"
PRODUCTION, SERVICE_STATE = "likeness:/var/lib/likeness", "service:/var/lib/likeness-service"


def read(name: str) -> Any:
    return YAML(typ="safe").load((INFRA / name).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = read("compose.yaml")["services"]
    return found


def test_everything_that_compose_refers_to_is_there(services: dict[str, dict[str, Any]]) -> None:
    found = read("compose.yaml")
    for name, service in services.items():
        assert set(service.get("depends_on", ())) <= set(services), name
        assert set(service.get("networks", ())) <= set(found["networks"]), name
        for mount in service.get("volumes", ()):
            source = mount.split(":")[0]
            assert (INFRA / source).exists() if source.startswith(".") else source in found["volumes"], mount


def test_waiting_for_health_needs_a_health_check(services: dict[str, dict[str, Any]]) -> None:
    checked = {name for name, service in services.items() if "test" in service.get("healthcheck", {})} | {"service"}
    for service in services.values():
        waits = service.get("depends_on", {})
        assert {n for n, c in waits.items() if c["condition"] == "service_healthy"} <= checked


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
    for name in ("worker", "deploy"):
        assert services[name]["environment"]["PREFECT_API_AUTH_STRING"].startswith("likeness:${PREFECT_PASSWORD:?")
    for name in ("service", "worker", "deploy"):
        assert services[name]["environment"]["MLFLOW_TRACKING_PASSWORD"].startswith("${MLFLOW_PASSWORD:?")


def test_the_service_writes_nothing_that_the_worker_executes(services: dict[str, dict[str, Any]]) -> None:
    service = services["service"]
    assert service["volumes"] == [f"{PRODUCTION}:ro", SERVICE_STATE]
    for name in ("worker", "deploy"):
        assert services[name]["volumes"] == [PRODUCTION, SERVICE_STATE]
    assert services["drift"]["volumes"] == [f"{PRODUCTION}:ro"]
    image = (INFRA / "Dockerfile").read_text(encoding="utf-8")
    assert "LIKENESS_SERVICE_STATE=/var/lib/likeness-service" in image


def test_the_service_can_tell_nobody_to_execute_anything(services: dict[str, dict[str, Any]]) -> None:
    """With Prefect's password, or its database, it could give the worker a command; S3 and Prefect it cannot reach."""
    service = services["service"]
    given = service["environment"]
    assert not [name for name in given if name.startswith(("PREFECT", "AWS"))]
    assert "POSTGRES_PASSWORD" not in str(given)
    assert "//log:${LOG_PASSWORD" in given["LIKENESS_LOG_URL"]
    for name in ("prefect", "s3", "worker", "drift"):
        assert not set(service["networks"]) & set(services[name].get("networks", ["default"])), name
    for name in service["depends_on"]:
        if name != "deploy":  # which has ended by then
            assert set(service["networks"]) <= set(services[name]["networks"]), name


def test_parts_of_ours_cannot_write_the_image(services: dict[str, dict[str, Any]]) -> None:
    own = {name: one for name, one in services.items() if one["image"].startswith(OWN)}
    assert set(own) == {"service", "worker", "deploy", "prefect", "mlflow", "drift", "buckets"}
    for name, one in own.items():
        assert one["read_only"] is True, name
        assert [place.partition(":")[0] for place in one["tmpfs"]] == ["/tmp", "/home/likeness"], name
        assert one["cap_drop"] == ["ALL"], name


def test_settings_of_the_servers_are_those_of_likeness_up(services: dict[str, dict[str, Any]]) -> None:
    """Where `up` sets a variable for all of its parts, here the part that reads it gets the same value."""
    wanted = child_environment(Paths(ROOT), 4200)
    elsewhere = {"PREFECT_HOME", "PREFECT_API_URL"}  # places and addresses
    readers = {"PREFECT_SERVER": "prefect", "PREFECT_LOGGING": "worker", "MLFLOW_SERVER": "mlflow"}
    assert len(wanted) > len(elsewhere)
    for name, value in wanted.items():
        if name not in elsewhere and not name.endswith("_ADDRESS"):
            reader = next(part for start, part in readers.items() if name.startswith(start))
            assert services[reader]["environment"].get(name) == value, name
    prefect = services["prefect"]
    assert f"prefect:{prefect['environment']['PREFECT_HOME']}" in prefect["volumes"]  # leases outlive its restart


def test_foreign_images_are_pinned(services: dict[str, dict[str, Any]]) -> None:
    for service in services.values():
        name, _, tag = service["image"].partition(":")
        assert tag, name
        assert tag != "latest", name


def test_clients_find_the_s3_server_where_it_listens(services: dict[str, dict[str, Any]]) -> None:
    port = next(word.partition("=")[2] for word in services["s3"]["command"] if word.startswith("-s3.port"))
    password = services["s3"]["environment"]["AWS_SECRET_ACCESS_KEY"]
    for name in ("worker", "mlflow", "buckets"):
        given = services[name]["environment"]
        addresses = {value for key, value in given.items() if "S3" in key}
        assert addresses == {f"http://s3:{port}"}, name
        assert given["AWS_SECRET_ACCESS_KEY"].partition(":?")[0].rstrip("}") == password.rstrip("}"), name


def test_commands_exist(services: dict[str, dict[str, Any]]) -> None:
    called = [one["command"] for one in services.values() if one["image"].startswith(OWN) and one.get("command")]
    assert len(called) >= 2
    assert {command[0] for command in called} <= set(COMMANDS)


def test_a_role_of_its_own_reaches_the_log_and_no_other_database(tmp_path: Path) -> None:
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    if not programs:
        absent("PostgreSQL", "postgresql")
    with running(programs[-1]) as server:
        server.execute("CREATE DATABASE likeness")
        image = {"POSTGRES_USER": "likeness", "POSTGRES_DB": "likeness", "LOG_PASSWORD": "it's a secret"}
        environment = {**os.environ, **image, "PGHOST": str(server.folder)}
        subprocess.run(["/bin/sh", INFRA / "postgres.sh"], check=True, env=environment, stdout=subprocess.DEVNULL)
        with _as_log(server, "log") as connection:
            connection.cursor().execute("CREATE TABLE entries (sequence BIGINT)")
        connection.close()
        for other in ("prefect", "mlflow", "likeness", "postgres"):
            with pytest.raises(psycopg2.OperationalError, match="permission denied"):
                _as_log(server, other)


def _as_log(server: Postgres, database: str) -> Any:
    return psycopg2.connect(host=str(server.folder), user="log", dbname=database)


def test_the_image_runs_the_pinned_versions_as_nobody_special() -> None:
    lines = (INFRA / "Dockerfile").read_text(encoding="utf-8")
    assert re.search(r"^RUN .*infra/install-python-packages /opt/venv$", lines, re.M)
    assert "--constraint constraints.txt" in (INFRA / "install-python-packages").read_text(encoding="utf-8")
    final = lines.rpartition("\nFROM ")[2]
    assert re.search(r"^USER 10001$", final, re.M)
    assert re.search(r"^HEALTHCHECK ", final, re.M)


def test_the_image_copies_what_exists() -> None:
    sources = copied()
    assert len(sources) > 10
    for source in sources:
        assert (ROOT / source).exists(), source
    packages = re.search(r"^root_packages = \[(.*)\]", (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.M)
    assert packages is not None
    assert set(re.findall(r'"(\w+)"', packages[1])) <= set(sources)


def test_what_the_image_copies_is_not_left_out_of_the_build() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert lines[1] == "*"
    assert {line[1:] for line in lines if line.startswith("!")} == set(copied())


def copied() -> list[str]:
    """What the Dockerfile copies from the checkout."""
    lines = (INFRA / "Dockerfile").read_text(encoding="utf-8")
    found = re.findall(r"^COPY (?!--from)(?:--\S+ )*(.+) \S+$", lines, re.M)
    return [source for line in found for source in shlex.split(line)]
