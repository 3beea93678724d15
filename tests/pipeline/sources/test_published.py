"""The layouts of FFHQ, CelebA-HQ and LFW, in small."""

from pathlib import Path

import pytest

from models.errors import DataError
from pipeline.image_io.outcome import Accepted
from tests.pipeline.sources.layouts import items_of, picture


@pytest.mark.parametrize("size", ["images1024x1024", "thumbnails128x128"])
def test_ffhq_is_split_at_60000_and_every_picture_is_a_person(tmp_path: Path, size: str) -> None:
    names = ["00000/00000.png", "00000/00999.png", "59000/59999.png", "60000/60000.png", "69000/69999.png"]
    for shade, name in enumerate(names):
        picture(tmp_path / size / name, shade)
    (tmp_path / size / "LICENSE.txt").write_text("CC BY-NC-SA 4.0")
    items = list(items_of("ffhq", tmp_path, tmp_path))
    assert [item.name for item in items] == [f"{size}/{name}" for name in names]
    assert [item.identity for item in items] == ["00000", "00999", "59999", "60000", "69999"]
    assert [item.split for item in items] == ["development"] * 3 + ["test"] * 2
    assert isinstance(items[0].read(), Accepted)


def test_ffhq_takes_the_folder_itself_and_says_when_it_is_not_one(tmp_path: Path) -> None:
    picture(tmp_path / "images1024x1024" / "00000" / "00000.png", 1)
    assert len(list(items_of("ffhq", tmp_path / "images1024x1024", tmp_path))) == 1
    (tmp_path / "other").mkdir()
    with pytest.raises(DataError, match="images1024x1024 or thumbnails128x128 in other; got neither"):
        items_of("ffhq", tmp_path / "other", tmp_path)


@pytest.fixture
def celeba(tmp_path: Path) -> Path:
    for number in (0, 1, 2, 10):
        picture(tmp_path / "CelebA-HQ-img" / f"{number}.jpg", number * 20)
    mapping = ["idx     orig_idx   orig_file", "0          119613     119614.jpg", "1          99094      099095.jpg"]
    mapping += [
        "2          200121     200122.jpg",
        "3          81059      081060.jpg",
        "10         5          000006.jpg",
    ]
    (tmp_path / "CelebA-HQ-to-CelebA-mapping.txt").write_text("\n".join(mapping) + "\n")
    splits = {"000006": 1, "081060": 0, "099095": 0, "119614": 0, "200122": 2}
    (tmp_path / "list_eval_partition.txt").write_text("".join(f"{k}.jpg {v}\n" for k, v in splits.items()))
    people = {"000006": 2880, "081060": 9, "099095": 4, "119614": 4, "200122": 7}
    (tmp_path / "Anno").mkdir()
    (tmp_path / "Anno" / "identity_CelebA.txt").write_text("".join(f"{k}.jpg {v}\n" for k, v in people.items()))
    return tmp_path


def test_celeba_hq_takes_identity_and_split_from_the_original(celeba: Path) -> None:
    items = list(items_of("celeba-hq", celeba, celeba))
    assert [item.name for item in items] == [f"CelebA-HQ-img/{n}.jpg" for n in (0, 1, 2, 10)]  # by number; 3 is absent
    assert [item.identity for item in items] == ["4", "4", "7", "2880"]
    assert [item.split for item in items] == ["train", "train", "test", "validation"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("list_eval_partition.txt", None, "list_eval_partition.txt in .*; got no such file"),
        ("list_eval_partition.txt", "119614.jpg 0 9\n", "2 columns in list_eval_partition.txt; got 3 in line 1"),
        ("list_eval_partition.txt", "000006.jpg 1\n", "119614.jpg in list_eval_partition.txt; got no entry"),
        ("list_eval_partition.txt", "119614.jpg 3\n", "3 in list_eval_partition.txt; got no entry"),
    ],
)
def test_celeba_hq_names_the_text_that_is_wrong(celeba: Path, name: str, text: str | None, message: str) -> None:
    (celeba / name).unlink()
    if text is not None:
        (celeba / name).write_text(text)
    with pytest.raises(DataError, match=message):
        list(items_of("celeba-hq", celeba, celeba))


def test_lfw_has_a_folder_per_person_and_the_published_people(tmp_path: Path) -> None:
    for shade, name in enumerate(["Aaron_Eckhart", "Abdullah", "Zico"]):
        for number in (1, 2):
            picture(tmp_path / "lfw" / name / f"{name}_{number:04d}.jpg", 40 * shade + number)
    (tmp_path / "peopleDevTrain.txt").write_text("1\nAaron_Eckhart\t2\n")
    (tmp_path / "peopleDevTest.txt").write_text("1\nAbdullah\t2\n")
    items = list(items_of("lfw", tmp_path, tmp_path))
    assert [item.name for item in items[:2]] == [f"Aaron_Eckhart/Aaron_Eckhart_000{n}.jpg" for n in (1, 2)]
    assert {item.identity: item.split for item in items} == {
        "Aaron_Eckhart": "development",
        "Abdullah": "test",
        "Zico": None,
    }


def test_lfw_falls_back_on_pairs(tmp_path: Path) -> None:
    for shade, name in enumerate(["Ann_Lee", "Bo_Xi", "Cy_Fu"]):
        picture(tmp_path / name / f"{name}_0001.jpg", 40 * shade)
    (tmp_path / "pairsDevTrain.txt").write_text("1\nAnn_Lee\t1\t4\nAnn_Lee\t1\tBo_Xi\t3\n")
    splits = {item.identity: item.split for item in items_of("lfw", tmp_path, tmp_path)}
    assert splits == {"Ann_Lee": "development", "Bo_Xi": "development", "Cy_Fu": None}


def test_lfw_without_people_is_an_error(tmp_path: Path) -> None:
    picture(tmp_path / "flat.jpg", 1)
    with pytest.raises(DataError, match=r"a folder per person in .*; got none"):
        items_of("lfw", tmp_path, tmp_path)
