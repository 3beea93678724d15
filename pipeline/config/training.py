"""Section for training."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from models.kinds import KINDS, TrainSettings
from pipeline.config.base import Count, Positive, Section, Share


class EvidenceParams(Section):
    """What the generator gets to see in training beside the damaged portrait."""

    reference: Share
    self_reference: Share
    hint_dropout: Share


class FaceModelParams(Section):
    """How the face model is fitted."""

    components: Count
    prior_weight: Positive
    folds: int = Field(ge=0, le=10)

    @field_validator("folds")
    @classmethod
    def _no_fold_is_alone(cls, folds: int) -> int:
        if folds == 1:
            raise ValueError("must be 0, or at least 2: one fold leaves nobody to fit its model to")
        return folds


class HardwareParams(Section):
    """What training runs on. `batch_size` is that of each device."""

    accelerator: Literal["auto", "cpu", "cuda"]
    devices: Count
    num_nodes: Count
    strategy: Literal["auto", "ddp", "ddp_find_unused_parameters_true"]
    precision: Literal["32-true", "bf16-mixed"]
    compile: bool


def _known(kind: str) -> str:
    if kind not in KINDS:
        raise ValueError(f"must be one of {', '.join(KINDS)}")
    return kind


class TrainParams(Section, TrainSettings):
    """Everything that decides which weights come out: the settings of the networks, data and machine."""

    kind: Annotated[str, AfterValidator(_known)]
    warm_start: Literal["champion", "none"]
    batch_size: Count
    face_model: FaceModelParams
    evidence: EvidenceParams
    hardware: HardwareParams
    patience: Count
    workers: int = Field(ge=0)

    @model_validator(mode="after")
    def _echoes_fill_an_epoch(self) -> Self:
        if self.steps_per_epoch % KINDS[self.kind].echoes(self):
            raise ValueError(f"steps_per_epoch ({self.steps_per_epoch}) must be a multiple of {self.kind}.echoes")
        return self
