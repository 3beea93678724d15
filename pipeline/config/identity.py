"""Section for the networks that find faces and tell people apart."""

from pathlib import Path
from typing import Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from models.assets import OPEN, Edition
from models.face_networks.insightface_pack import is_folder, short_name
from models.face_networks.names import BUILT_IN, DLIB, DLIB_OPEN, YUNET
from pipeline.config.base import Section


class IdentityParams(Section):
    """Encoders by role, and the detector: a built-in name, or an insightface pack's name or folder.

    `edition` says which weights place landmarks and complete faces; in `open`, dlib is the encoder `dlib-open`.
    `training` is part of the loss, checks reference photos and spans the space in which drift of people is measured;
    `judge` scores restorations and is never trained against. Built in are sface, dlib, dlib-open and the
    detector yunet.
    """

    edition: Edition
    training: str = Field(min_length=1)
    judge: str = Field(min_length=1)
    detector: str = Field(min_length=1)

    @property
    def packs(self) -> tuple[str, ...]:
        """Name the insightface packs among them, each once: they are for non-commercial research only."""
        encoders = [name for name in (self.training, self.judge) if name not in BUILT_IN]
        detectors = [self.detector] if self.detector != YUNET else []
        return tuple(dict.fromkeys(map(short_name, encoders + detectors)))

    @field_validator("training", "judge", "detector")
    @classmethod
    def _resolved(cls, name: str, info: ValidationInfo) -> str:
        """Choose the edition's encoder, and make a relative folder one from the project's, where that is known."""
        folder = (info.context or {}).get("folder")
        if name == DLIB and info.data.get("edition") == OPEN:
            return DLIB_OPEN
        return name if folder is None or not is_folder(name) else str((folder / Path(name).expanduser()).resolve())

    @model_validator(mode="after")
    def _independent(self) -> Self:
        if short_name(self.training) == short_name(self.judge):
            raise ValueError(
                f"identity.training and identity.judge are both {short_name(self.judge)}: a judge that restorations "
                "were trained to please proves nothing; name two encoders, with different last parts of their folders"
            )
        return self
