"""Faces share a call of the network, and nobody notices."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from models.evidence.evidence import Damaged, Evidence
from models.evidence.reference_photo import Reference
from models.face_model.shape_and_appearance import shipped_face_model
from models.gan.generator import Generator
from models.gan.restorer import Restorer
from serving.inference.arms import BatchedRestorer, concatenated
from tests.models.gan.test_generator import batch

SIDE = 32


def restorer() -> Restorer:
    torch.manual_seed(3)
    generator = Generator(8, 2)
    for parameter in generator.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return Restorer(generator, SIDE, shipped_face_model())


def evidence(seed: int, faces: int) -> Evidence:
    """Noise with a hole, and what can be read off it."""
    torch.manual_seed(seed)
    found = batch(SIDE, faces)
    picture = torch.rand(faces, 3, SIDE, SIDE) * 2 - 1
    whole: Evidence = replace(found, image=picture).evidence(shipped_face_model())
    return whole


class Watched:
    """A restorer that notes the sizes of its batches and takes a while."""

    image_size = SIDE

    def __init__(self, seconds: float = 0.0) -> None:
        self.sizes: list[int] = []
        self._inner, self._seconds = restorer(), seconds
        self.face_model = self._inner.face_model

    def restore_from(self, evidence: Evidence) -> Tensor:
        self.sizes.append(len(evidence.start))
        time.sleep(self._seconds)
        if (evidence.hint > 50).any():
            raise ValueError("a face that cannot be")
        return self._inner.restore_from(evidence)


def batched(inner: Watched, at_work: int, wait_seconds: float = 2.0, max_batch: int = 8) -> BatchedRestorer:
    return BatchedRestorer(inner, max_batch, wait_seconds, lambda: at_work, lambda _: None)


def together(shared: BatchedRestorer, faces: list[Evidence]) -> list[Tensor | BaseException | None]:
    """Each from a thread of its own, at the same moment."""
    start = threading.Barrier(len(faces))

    def one(face: Evidence) -> Tensor:
        start.wait()
        return shared.restore_from(face)

    with ThreadPoolExecutor(len(faces)) as pool:
        futures = [pool.submit(one, face) for face in faces]
        return [future.exception(20) or future.result() for future in futures]


def test_nobody_notices_the_others() -> None:
    inner, alone = Watched(), restorer()
    faces = [evidence(seed, count) for seed, count in enumerate((1, 3, 2))]
    found = together(batched(inner, at_work=3), faces)
    assert inner.sizes == [6]
    for face, restored in zip(faces, found, strict=True):
        assert isinstance(restored, Tensor)
        torch.testing.assert_close(restored, alone.restore_from(face), rtol=0, atol=1e-5)
        known = (face.damaged.chroma_mask < 0.5).expand_as(restored)
        assert torch.equal(restored[known], face.damaged.image[known])


def test_who_is_alone_never_waits() -> None:
    inner = Watched()
    begun = time.perf_counter()
    batched(inner, at_work=1, wait_seconds=30).restore_from(evidence(1, 1))
    assert time.perf_counter() - begun < 10


def test_a_leader_waits_no_longer_than_it_may() -> None:
    inner = Watched()
    begun = time.perf_counter()
    batched(inner, at_work=2, wait_seconds=0.2).restore_from(evidence(1, 1))  # the other one never comes
    assert time.perf_counter() - begun >= 0.2
    assert inner.sizes == [1]


def test_batches_have_a_size() -> None:
    inner = Watched()
    found = together(batched(inner, at_work=5, max_batch=4, wait_seconds=0.3), [evidence(n, 2) for n in range(5)])
    assert all(isinstance(restored, Tensor) for restored in found)
    assert sum(inner.sizes) == 10
    assert max(inner.sizes) <= 4
    large = Watched()
    batched(large, at_work=1, max_batch=4).restore_from(evidence(1, 6))  # one photo is not torn apart
    assert large.sizes == [6]


def test_an_error_reaches_only_whose_face_it_was() -> None:
    inner = Watched()
    faces = [evidence(n, 1) for n in range(3)]
    faces[1] = replace(faces[1], hint=faces[1].hint + 100)
    found = together(batched(inner, at_work=3), faces)
    assert [isinstance(restored, Tensor) for restored in found] == [True, False, True]
    assert str(found[1]) == "a face that cannot be"
    assert sorted(inner.sizes) == [1, 1, 1, 3]  # together, and then each alone


def test_pictures_of_different_sizes_go_alone() -> None:
    small = batch(16, 1).evidence(shipped_face_model())
    found = together(batched(Watched(), at_work=2), [evidence(1, 1), small])
    assert [restored.shape[-1] for restored in found if isinstance(restored, Tensor)] == [32, 16]


def test_a_batch_s_cpu_time_is_shared_by_its_faces() -> None:
    inner = Watched()
    shared = batched(inner, at_work=2)
    start, spent = threading.Barrier(2), {}

    def one(faces: int) -> None:
        face = evidence(faces, faces)
        start.wait()
        begun = time.thread_time()
        shared.restore_from(face)
        spent[faces] = (time.thread_time() - begun, shared.cpu_balance.take())

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(one, (1, 3)))
    assert inner.sizes == [4]
    assert sum(foreign for _, foreign in spent.values()) == pytest.approx(0, abs=1e-9)
    fair = {faces: own + foreign for faces, (own, foreign) in spent.items()}
    assert fair[3] > fair[1] > 0
    assert spent[1][1] > 0 or spent[3][1] > 0


def test_a_reference_stays_with_its_face() -> None:
    bare = batch(SIDE, 2)
    photo = Reference(torch.rand(2, 3, SIDE, SIDE), torch.tensor([1.0, 0.0]))
    known = Damaged(**(vars(batch(SIDE, 2)) | {"reference": photo}))
    plain = bare.evidence(shipped_face_model())
    whole = concatenated([plain, replace(plain, damaged=known)])
    assert whole.damaged.reference is not None
    assert whole.damaged.reference.present.tolist() == [0, 0, 1, 0]
    assert torch.equal(whole.damaged.reference.image[2:], photo.image)
    assert concatenated([plain, plain]).damaged.reference is None
    assert len(concatenated([plain, plain]).hint) == 4


def test_many_threads_for_a_while() -> None:
    """No request is lost, none waits forever, whatever meets whatever."""
    inner, alone = Watched(0.002), restorer()
    shared = BatchedRestorer(inner, 4, 0.003, lambda: 6, lambda _: None)
    faces = [evidence(n, 1 + n % 3) for n in range(6)]
    expected = [alone.restore_from(face) for face in faces]

    def many(n: int) -> bool:
        return all(torch.allclose(shared.restore_from(faces[n]), expected[n], atol=1e-5) for _ in range(15))

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(many, range(6), timeout=60))
    assert len(inner.sizes) < 90
