"""What training did, as data/reports/train.json holds it."""

from pydantic import BaseModel, ConfigDict


class TrainReport(BaseModel):
    """What training did. Losses are those of the last epoch; `seconds` covers the loop only.

    `fitted_people`: to whom the face model was fitted further; 0 = it is the champion's.
    """

    model_config = ConfigDict(frozen=True)

    epochs: int
    steps: int
    stopped_early: bool
    resumed_at_step: int
    best_epoch: int
    seconds: float
    images_per_second: float
    parameters: int
    portraits: int
    fitted_people: int
    losses: dict[str, float]
    weights_sha256: str
