"""The diffusion restorer: known pixels, repeatability, draws that are what they say, and its file."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from models.diffusion.denoiser import expected
from models.diffusion.noise import PosteriorNoise
from models.diffusion.restorer import DiffusionRestorer, save_denoiser
from models.diffusion.settings import Sampling
from models.errors import DataError, WeightsError
from models.evidence.evidence import Damaged, compose, gather, luma
from models.evidence.kept_eyes import with_eyes_of_start
from models.face_model.shape_and_appearance import shipped_face_model
from models.restorer_file import write_restorer
from tests.models.diffusion.parts import SPREAD, Echo, damaged, small


@pytest.fixture
def restorer() -> DiffusionRestorer:
    return DiffusionRestorer(small(random=True), 32, Sampling(levels=4, steps=2, samples=2), shipped_face_model())


def dice(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_known_pixels_are_those_of_the_input(restorer: DiffusionRestorer) -> None:
    batch = damaged()
    for restored in (restorer.restore(batch), restorer.restore_samples(batch, 3, dice()).restored):
        known = (batch.chroma_mask < 0.5).expand_as(restored)
        assert torch.equal(restored[known], batch.image[known])
        assert restored.abs().max() <= 1
        colourless = (batch.chroma_mask - batch.hole_mask) > 0.5
        inside = colourless & (restored.abs().amax(1, keepdim=True) < 1)  # clamping may move luma
        assert torch.allclose(luma(restored)[inside], luma(batch.image)[inside], atol=1e-5)


def test_a_seed_decides(restorer: DiffusionRestorer) -> None:
    first, again, other = (restorer.restore_samples(damaged(), 2, dice(seed)) for seed in (1, 1, 2))
    assert torch.equal(first.restored, again.restored)
    assert torch.equal(first.uncertainty, again.uncertainty)
    assert not torch.allclose(first.restored, other.restored)
    assert torch.equal(restorer.restore(damaged()), restorer.restore(damaged()))


def test_restore_is_the_proposal_composed(restorer: DiffusionRestorer) -> None:
    batch = damaged()
    proposal = restorer.propose(batch)
    assert proposal.abs().max() <= 1
    start = gather(batch, shipped_face_model()).start
    known = (batch.chroma_mask < 0.5).expand_as(start)
    assert torch.equal(proposal[known], start[known].clamp(-1, 1))


def test_neighbours_in_the_batch_do_not_matter(restorer: DiffusionRestorer) -> None:
    together = damaged()
    alone = Damaged(**{name: value[1:] for name, value in vars(together).items() if value is not None})
    assert torch.allclose(restorer.restore(together)[1:], restorer.restore(alone), atol=1e-5)


def test_uncertainty_is_the_spread_of_the_draws() -> None:
    batch = replace(damaged(), image=torch.zeros(2, 3, 32, 32))
    restorer = DiffusionRestorer(Echo(), 32, Sampling(levels=2, steps=1, samples=1), shipped_face_model())
    result = restorer.restore_samples(batch, 4, dice())
    evidence, thrown = gather(batch, shipped_face_model()), dice()
    noise = PosteriorNoise.of(evidence, shipped_face_model(), SPREAD)
    proposed = torch.stack(
        [evidence.start + noise.draw(noise.white(thrown, shared=True)) for _ in range(4)]
    )  # its echo
    hole = batch.hole_mask > 0.5
    expected = proposed.clamp(-1, 1).var(0).mean(1, keepdim=True).sqrt()
    assert torch.allclose(result.uncertainty[hole], expected[hole], atol=1e-6)
    wide = hole.expand(-1, 3, -1, -1)
    mean = with_eyes_of_start(evidence.start, proposed.mean(0).clamp(-1, 1), shipped_face_model().landmarker)
    assert torch.allclose(result.restored[wide], mean[wide], atol=1e-6)


def test_uncertainty_is_zero_where_known_and_for_one_draw(restorer: DiffusionRestorer) -> None:
    batch = damaged()
    several, one = (restorer.restore_samples(batch, samples, dice()).uncertainty for samples in (3, 1))
    assert several.shape == (2, 1, 32, 32)
    assert not several[batch.chroma_mask < 0.5].any()
    assert (several[batch.hole_mask > 0.5] > 0).float().mean() > 0.9  # some draws end at the same end of the range
    assert not one.any()


def test_round_trip(restorer: DiffusionRestorer, tmp_path: Path) -> None:
    save_denoiser(restorer.denoiser, tmp_path / "d.safetensors", 32, restorer.sampling)
    loaded = DiffusionRestorer.load(tmp_path / "d.safetensors")
    assert (loaded.image_size, loaded.sampling) == (32, Sampling(4, 2, 2))
    assert loaded.denoiser.shape == restorer.denoiser.shape
    assert torch.equal(loaded.restore(damaged()), restorer.restore(damaged()))


@pytest.mark.parametrize("dtype", [torch.float16, torch.int8])
def test_rounded_weights_change_little(restorer: DiffusionRestorer, tmp_path: Path, dtype: torch.dtype) -> None:
    save_denoiser(restorer.denoiser, tmp_path / "d.safetensors", 32, restorer.sampling, dtype=dtype)
    rounded = DiffusionRestorer.load(tmp_path / "d.safetensors")
    assert 0 < (rounded.restore(damaged()) - restorer.restore(damaged())).abs().mean() < 1 / 127.5


@pytest.mark.parametrize("levels", [1, 3, 25])
def test_levels_are_few_and_divide_the_schedule(levels: int) -> None:
    with pytest.raises(DataError, match=rf"divide 1000; got {levels}; choose 2, 4"):
        Sampling(levels, 1, 1)  # type: ignore[arg-type] # what a file may hold


@pytest.mark.parametrize("steps", [0, 4])
def test_steps_are_some_of_the_levels(steps: int) -> None:
    with pytest.raises(DataError, match=f"1 to 3 sampling steps; got {steps}"):
        Sampling(4, steps, 1)


def test_less_than_no_draw_is_refused() -> None:
    with pytest.raises(DataError, match="at least no sample"):
        Sampling(2, 1, -1)


def test_without_draws_the_answer_to_pure_noise_is_the_restoration(restorer: DiffusionRestorer) -> None:
    batch = damaged()
    restorer.sampling = Sampling(4, 2, 0)
    evidence = gather(batch, shipped_face_model())
    proposal = (evidence.start + expected(restorer.denoiser, evidence)).clamp(-1, 1)
    mean = with_eyes_of_start(evidence.start, proposal, shipped_face_model().landmarker)
    assert torch.allclose(restorer.restore(batch), compose(batch, mean), atol=1e-6)


def test_another_kind_is_named(tmp_path: Path) -> None:
    from models.gan.generator import Generator
    from models.gan.restorer import save_weights

    save_weights(Generator(8, 2), tmp_path / "g.safetensors", 32)
    with pytest.raises(WeightsError, match=r"got gan; train with train\.warm_start: none"):
        DiffusionRestorer.load(tmp_path / "g.safetensors")


def test_weights_of_stationary_noise_are_named(tmp_path: Path) -> None:
    shape = {"channels": [8, 16], "fold": 4, "prediction": "v_prediction", "spread": {}}
    header = {"kind": "diffusion", "shape": shape, "image_size": 32, "sampling": {"steps": 2, "samples": 2}}
    write_restorer({}, header, tmp_path / "d.safetensors", None, torch.float32)
    with pytest.raises(WeightsError, match="got one of stationary noise; train it anew"):
        DiffusionRestorer.load(tmp_path / "d.safetensors")
