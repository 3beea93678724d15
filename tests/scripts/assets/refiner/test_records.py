from pathlib import Path

import numpy as np
import torch

from scripts.assets.refiner.records import from_records, open_records, save_records, to_records
from tests.scripts.assets.refiner.evidence import made_up


def test_evidence_comes_back_within_half_a_grey_level_and_the_known_to_the_bit() -> None:
    evidence, target = made_up(3)
    again, target_again = from_records(to_records((evidence, target)))
    assert torch.allclose(target_again.image, target.image, atol=1e-6)
    assert torch.equal(target_again.points, target.points)
    known = evidence.damaged.chroma_mask.expand_as(target.image) < 0.5
    for name in ("start", "completion", "plain"):
        assert torch.allclose(getattr(again, name), getattr(evidence, name), atol=0.5 / 127.5 + 1e-6)
        assert torch.equal(getattr(again, name)[known], again.damaged.image[known])
    for name in ("certainty", "lines"):
        assert torch.allclose(getattr(again, name), getattr(evidence, name), atol=0.5 / 255 + 1e-6)
    for name in ("hole_mask", "chroma_mask"):
        assert torch.equal(getattr(again.damaged, name), getattr(evidence.damaged, name))
    assert torch.equal(again.reference_mask, evidence.reference_mask)
    assert torch.allclose(again.damaged.image, evidence.damaged.image, atol=1e-6)
    assert torch.allclose(again.damaged.condition(), evidence.damaged.condition())
    assert torch.allclose(again.hint, evidence.hint, atol=2e-3)


def test_records_are_read_back_from_their_file(tmp_path: Path) -> None:
    records = to_records(made_up())
    save_records(records, tmp_path / "shards" / "0.npy")
    read = open_records(tmp_path / "shards" / "0.npy")
    assert isinstance(read, np.memmap)
    assert read.tobytes() == records.tobytes()
    assert [file.name for file in (tmp_path / "shards").iterdir()] == ["0.npy"]
