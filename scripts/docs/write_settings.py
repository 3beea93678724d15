"""Write docs/settings.md from the class of settings: `python -m scripts.docs.write_settings`."""

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from models.assets import ASSETS
from pipeline.project.environment import Environment
from pipeline.project.files import write_text

SETTINGS = ASSETS.parent / "docs" / "settings.md"
_HEAD = """# Settings

What a machine differs in from another comes from environment variables; what results depend on is in `params.yaml`.
An empty variable counts as unset. A value that is not admitted is an error that names the variable.
This page is written by `python -m scripts.docs.write_settings`.

| variable | default | what it is |
|---|---|---|
"""
_OWN = {
    "LIKENESS_STUDY_TOKEN": "secret that links to the raters' study contain (`likeness study serve --token`)",
    "LIKENESS_PYTHON": "Python that DVC's stages run with; empty: that of `.venv`, else the one on the PATH",
}
"""Variables of single commands."""
_LIBRARIES_HEAD = """
## Variables of libraries

| variable | who reads it |
|---|---|
"""
_LIBRARIES = {
    "`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_PROFILE`, `AWS_REGION`": (
        "boto3, for portraits and kept pictures on S3; DVC and MLflow likewise"
    ),
    "`AWS_ENDPOINT_URL_S3`": (
        "the same; `likeness` sets it from `LIKENESS_S3_ENDPOINT` for itself and what it starts. Set it yourself for "
        "`dvc pull` and other commands that you type"
    ),
    "`MLFLOW_TRACKING_USERNAME`, `MLFLOW_TRACKING_PASSWORD`": "MLflow's client, where the server asks for them",
    "`FORWARDED_ALLOW_IPS`": "`likeness serve`, as its option `--forwarded-allow-ips`: proxies that are believed",
    "`PREFECT_API_URL`": "Prefect's client; `likeness up` sets it for what it starts",
    "`OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`, other `OTEL_*`": (
        "OpenTelemetry, for traces of the service; without the first two there are none"
    ),
    "`XDG_STATE_HOME`": "keys and registry of `likeness restore` outside a checkout",
}


def settings_page() -> str:
    """Make the page."""
    fields = [_row(name, field) for name, field in Environment.model_fields.items()]
    own = [f"| `{name}` | | {about} |\n" for name, about in _OWN.items()]
    libraries = [f"| {names} | {reader} |\n" for names, reader in _LIBRARIES.items()]
    return "".join([_HEAD, *fields, *own, _LIBRARIES_HEAD, *libraries])


def _row(name: str, field: FieldInfo) -> str:
    return f"| `LIKENESS_{name.upper()}` | {_default(field)} | {field.description} |\n"


def _default(field: FieldInfo) -> str:
    if field.default_factory is not None:
        return "`~/.cache/likeness`"
    value = field.default.get_secret_value() if isinstance(field.default, SecretStr) else field.default
    return f"`{value}`" if value else ""


if __name__ == "__main__":
    write_text(SETTINGS, settings_page())
