"""Load what restores photos from a registered version's files alone."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from models.errors import ConfigError
from models.load import load_restorer
from pipeline.config.identity import IdentityParams
from pipeline.config.restore import RestoreParams
from pipeline.image_io.outcome import Limits
from pipeline.project.environment import user_state
from pipeline.project.paths import Paths
from pipeline.registry.artifact import IDENTITY, INPAINTER, RESTORE, WEIGHTS
from restoration.files.restore_files import Settings
from restoration.find_damage import finder_of
from restoration.modes import RequestedMode
from restoration.photo.inpainter import load_inpainter
from restoration.provenance.marking import open_seal
from restoration.types import load_tools

_CHOICES = ("mode", "strength", "fade", "strip")


def load_settings(artifacts: Mapping[str, str], version: str) -> Settings:
    """Load restorer, finder, face tools and limits, for the mode `auto`; outputs are signed with this user's key.

    Args:
        artifacts: files of the version by the names in `pipeline.registry.artifact`.
        version: what rows and marks call it.

    Raises:
        WeightsError: a file is missing or is not the one that was registered, or a pack of insightface's is not here.
        ConfigError: keys for signing that cannot be used.
    """
    params = _restore_params(artifacts)
    if params.inpainter is not None:
        load_inpainter(params.inpainter)
    identity = IdentityParams.model_validate(_section(artifacts[IDENTITY]))
    return Settings(
        restorer=load_restorer(Path(artifacts[WEIGHTS])),
        model=version,
        mode="auto",
        params=params,
        limits=Limits.of(params.files),
        tools=load_tools(params.min_detector_score, identity),
        finder=finder_of(identity.edition),
        seal=open_seal(Paths(user_state())),
    )


def asked_for(settings: Settings, params: Mapping[str, Any]) -> Settings:
    """Change what a request may choose: `mode`, `strength` in [0, 1], `fade` and `strip`; as `likeness restore`.

    Raises:
        ConfigError: a mode that is not known, or a strength out of its range.
    """
    chosen = replace(settings, **{name: params[name] for name in _CHOICES if name in params})
    if chosen.mode not in get_args(RequestedMode):
        raise ConfigError(f"mode: one of {', '.join(get_args(RequestedMode))}", repr(chosen.mode), "name one of them")
    if not 0.0 <= chosen.strength <= 1.0:
        raise ConfigError("strength: 0 to 1", f"{chosen.strength:g}", "choose a share")
    return chosen


def _restore_params(artifacts: Mapping[str, str]) -> RestoreParams:
    params = RestoreParams.model_validate(_section(artifacts[RESTORE]))
    return params.model_copy(update={"inpainter": artifacts.get(INPAINTER)})


def _section(file: str) -> object:
    return json.loads(Path(file).read_text(encoding="utf-8"))
