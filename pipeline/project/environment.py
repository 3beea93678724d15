"""Settings of this machine from environment variables: addresses, device, cache. Results depend on params.yaml only."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from models.errors import ConfigError

if TYPE_CHECKING:
    from pipeline.project.paths import Paths


def _user_cache() -> Path:
    return Path.home() / ".cache" / "likeness"


_ADDRESS = r"^(https?://[^/\s?#]+(/[^\s?#]*)?)?$"
_SEEN = " as people see them, through a proxy for instance; empty: that of `likeness up`"


def user_state() -> Path:
    """Give the folder for a user's state: XDG_STATE_HOME/likeness, by default ~/.local/state/likeness."""
    base = os.environ.get("XDG_STATE_HOME", "")
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".local" / "state") / "likeness"


class Environment(BaseSettings):
    """Read from environment variables named LIKENESS_<FIELD>; an unset or empty variable keeps the default.

    Credentials are in no file: boto3 and MLflow read their own variables (AWS_*, MLFLOW_TRACKING_*), and a password
    in `log_url`, or `log_key`, comes from the environment alone.
    """

    model_config = SettingsConfigDict(env_prefix="LIKENESS_", frozen=True, env_ignore_empty=True)

    mlflow_uri: str = Field(default="", description="MLflow server or database; empty: SQLite below state/")
    service_address: str = Field(default="", pattern=_ADDRESS, description="address of the service's pages" + _SEEN)
    mlflow_address: str = Field(default="", pattern=_ADDRESS, description="address of MLflow's pages" + _SEEN)
    drift_address: str = Field(default="", pattern=_ADDRESS, description="address of Evidently's pages" + _SEEN)
    s3_endpoint: str = Field(
        default="", description="address of an S3 service; empty: as AWS_ENDPOINT_URL_S3 says, else AWS"
    )
    log_url: str = Field(default="", description="database of the production log; empty: SQLite below state/")
    log_key: SecretStr = Field(default=SecretStr(""), description="secret of the log's chain; empty: a file")
    device: Literal["cpu", "cuda"] = Field(default="cpu", description="where tensors are computed")
    c2pa_cert: Path | None = Field(default=None, description="PEM chain that signs outputs, the signer's first")
    c2pa_key: Path | None = Field(default=None, description="PEM private key of that chain's first certificate")
    cache: Path = Field(default_factory=_user_cache, description="files that can be made again")
    service_state: Path | None = Field(
        default=None, description="folder of what the service writes (docs/operations.md); empty: state/"
    )

    webhook: str = Field(default="", description="address that alerts are posted to as JSON; empty: none")
    smtp: str = Field(default="", description="HOST:PORT or USER:PASSWORD@HOST:PORT that takes alerts; empty: none")
    mail_to: str = Field(default="", description="who gets alerts by e-mail; addresses separated by commas")
    mail_from: str = Field(default="likeness@localhost", description="sender of these")
    alert_urls: SecretStr = Field(default=SecretStr(""), description="Apprise URLs for alerts, separated by spaces")

    def tracking_uri(self, paths: "Paths") -> str:
        """Address of MLflow for the checkout at `paths`."""
        return self.mlflow_uri or f"sqlite:///{paths.mlflow_database.resolve()}"


def environment() -> Environment:
    """Read the settings as they are now.

    Raises:
        ConfigError: a variable has a value that its field does not admit.
    """
    try:
        return Environment()
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = "LIKENESS_" + "_".join(str(part) for part in first["loc"]).upper()
        raise ConfigError(f"{name}: {first['msg']}", repr(first["input"])[:80], f"change or unset {name}") from error
