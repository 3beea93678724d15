"""What the check of the image starts is what infra/compose.yaml says."""

from pathlib import Path

from scripts.containers.image import Image
from scripts.containers.parts import host_names, read_parts, variables


def test_a_part_has_compose_s_command_environment_and_mounts(tmp_path: Path) -> None:
    said = {"PATH": "/opt/venv/bin", "LIKENESS_SERVICE_STATE": "/var/lib/likeness-service"}
    image = Image(tmp_path / "root", said, ("likeness",), "/var/lib/likeness", "10001")
    values = {name: f"value of {name}" for name in variables()}
    parts = read_parts(image, tmp_path / "volumes", values)
    service, mlflow = parts["service"], parts["mlflow"]
    assert service.command[:2] == ("likeness", "serve")
    assert {mount.target: mount.read_only for mount in service.mounts} == {
        "/var/lib/likeness": True,
        "/var/lib/likeness-service": False,
    }
    assert service.environment.items() >= said.items()
    assert service.environment["LIKENESS_LOG_KEY"] == "value of LIKENESS_LOG_KEY"
    assert "value of POSTGRES_PASSWORD" in " ".join(mlflow.command)
    assert [mount.source.is_file() for mount in mlflow.mounts] == [True]
    assert service.temporary == ("/tmp", "/home/likeness")
    assert set(parts) < set(host_names())
    assert not [part for part in parts.values() if "${" in str(part)]
