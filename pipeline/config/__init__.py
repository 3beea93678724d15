"""params.yaml as one frozen, typed object."""

from pipeline.config.ab import AbParams
from pipeline.config.damage import MaskParams
from pipeline.config.data import DataParams, IngestParams, ValidateParams
from pipeline.config.judging import Criterion, EvaluateParams, GateParams, SliceParams
from pipeline.config.load import Params, load_params, write_params
from pipeline.config.operations import AlertParams, OperateParams
from pipeline.config.production import RegistryParams, RestoreParams, SimulateParams, WatchParams
from pipeline.config.science import AblateParams, CurvatureParams, OnsetParams, VariantParams
from pipeline.config.serving import KeepParams, ServeParams
from pipeline.config.study import StudyParams
from pipeline.config.training import ChampionParams, EvidenceParams, TrainParams

__all__ = [
    "AbParams",
    "AblateParams",
    "AlertParams",
    "ChampionParams",
    "Criterion",
    "CurvatureParams",
    "DataParams",
    "EvaluateParams",
    "EvidenceParams",
    "GateParams",
    "IngestParams",
    "KeepParams",
    "MaskParams",
    "OnsetParams",
    "OperateParams",
    "Params",
    "RegistryParams",
    "RestoreParams",
    "ServeParams",
    "SimulateParams",
    "SliceParams",
    "StudyParams",
    "TrainParams",
    "ValidateParams",
    "VariantParams",
    "WatchParams",
    "load_params",
    "write_params",
]
