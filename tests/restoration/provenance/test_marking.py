import hashlib
import io
import itertools
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from cryptography import x509
from defusedxml import ElementTree
from PIL import Image as Pillow

from models.errors import ConfigError, DataError
from models.images import Image
from pipeline.image_io.write import encoded
from pipeline.project.paths import Paths
from restoration.provenance.marking import MarkFacts, PictureFormat, Seal, format_of, marked, open_seal
from restoration.provenance.signing_keys import make_chain
from restoration.provenance.xmp import IPTC, LIKENESS, RDF, XMP

ORIGINAL = hashlib.sha256(b"the file that came in").hexdigest()
FACTS = MarkFacts("7", "partial", "0123abcd", 0.125, ORIGINAL)
LOSSLESS: tuple[PictureFormat, ...] = ("png", "webp", "tiff")
SIGNED: tuple[PictureFormat, ...] = (*LOSSLESS, "jpeg")
SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
ENHANCED = "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicallyEnhanced"


@pytest.fixture(scope="module")
def seal(tmp_path_factory: pytest.TempPathFactory) -> Seal:
    return open_seal(Paths(tmp_path_factory.mktemp("sealed")))


@pytest.fixture(scope="module")
def picture() -> Image:
    return np.random.default_rng(5).integers(0, 256, (61, 47, 3), np.uint8)


def decoded(file: bytes) -> Image:
    with Pillow.open(io.BytesIO(file)) as opened:
        return np.asarray(opened.convert("RGB"))


@pytest.mark.parametrize("format_", LOSSLESS)
def test_marks_leave_every_pixel_of_a_lossless_format(format_: PictureFormat, seal: Seal, picture: Image) -> None:
    assert np.array_equal(decoded(marked(picture, format_, FACTS, seal)), picture)


def test_jpeg_is_encoded_once(seal: Seal, picture: Image) -> None:
    with_marks, without = marked(picture, "jpeg", FACTS, seal), encoded(picture, ".jpg")
    assert np.array_equal(decoded(with_marks), decoded(without))
    scan = without[without.index(b"\xff\xda") :]
    assert with_marks.endswith(scan)  # the very bytes of the one encoding


@pytest.mark.parametrize("format_", SIGNED)
def test_an_independent_parser_reads_the_packet(format_: PictureFormat, seal: Seal, picture: Image) -> None:
    file = marked(picture, format_, FACTS, seal)
    with Pillow.open(io.BytesIO(file)) as opened:
        description = opened.getxmp()["xmpmeta"]["RDF"]["Description"]
    packet = file[file.index(b"<x:xmpmeta") : file.index(b"</x:xmpmeta>") + len(b"</x:xmpmeta>")]
    about = ElementTree.fromstring(packet).find(f"{{{RDF}}}RDF/{{{RDF}}}Description")
    assert about is not None
    told = {child.tag: child.text for child in about}
    assert told[f"{{{IPTC}}}DigitalSourceType"] == description["DigitalSourceType"] == SOURCE_TYPE
    assert told[f"{{{XMP}}}CreatorTool"] == description["CreatorTool"]
    assert description["CreatorTool"].startswith("Likeness ")
    assert {name: told[f"{{{LIKENESS}}}{name}"] for name in ("ModelVersion", "Mode", "RequestId", "RestoredShare")} == {
        "ModelVersion": "7",
        "Mode": "partial",
        "RequestId": "0123abcd",
        "RestoredShare": "0.125000",
    }


def test_hostile_words_stay_words(picture: Image) -> None:
    facts = MarkFacts('</x:xmpmeta>"&<', "inpaint", "", 0.0)
    with Pillow.open(io.BytesIO(marked(picture, "png", facts))) as opened:
        description = opened.getxmp()["xmpmeta"]["RDF"]["Description"]
    assert description["ModelVersion"] == '</x:xmpmeta>"&<'
    assert "RequestId" not in description


@pytest.mark.parametrize("format_", SIGNED)
def test_the_manifest_is_signed_and_names_the_original(format_: PictureFormat, seal: Seal, picture: Image) -> None:
    state, manifest = seal.read(marked(picture, format_, FACTS, seal), f"image/{format_}")
    assert state == "Trusted"
    actions = {each["action"]: each for each in manifest["assertions"][0]["data"]["actions"]}
    assert list(actions) == ["c2pa.opened", "c2pa.edited"]
    assert actions["c2pa.edited"]["digitalSourceType"] == SOURCE_TYPE
    assert actions["c2pa.edited"]["parameters"]["likeness.model_version"] == "7"
    parent = manifest["ingredients"][0]
    assert (parent["relationship"], parent["instance_id"]) == ("parentOf", f"urn:sha256:{ORIGINAL}")
    assert "thumbnail" not in parent
    assert manifest["claim_generator_info"][0]["name"] == "Likeness"
    assert "thumbnail" not in manifest


@pytest.mark.parametrize("format_", SIGNED)
def test_where_fading_alone_was_lifted_no_model_is_named(format_: PictureFormat, seal: Seal, picture: Image) -> None:
    file = marked(picture, format_, MarkFacts("7", "fade", "0123abcd", 1.0, ORIGINAL, 0.75), seal)
    state, manifest = seal.read(file, f"image/{format_}")
    opened, adjusted = manifest["assertions"][0]["data"]["actions"]
    assert (state, opened["action"], adjusted["action"]) == ("Trusted", "c2pa.opened", "c2pa.adjustedColor")
    assert adjusted["digitalSourceType"] == ENHANCED
    assert (adjusted["parameters"]["likeness.veil"], adjusted["parameters"]["likeness.mode"]) == (0.75, "fade")
    told = ElementTree.fromstring(packet_of(file))[0][0]
    assert told.findtext(f"{{{IPTC}}}DigitalSourceType") == ENHANCED
    assert told.findtext(f"{{{LIKENESS}}}Veil") == "0.750"
    assert told.find(f"{{{LIKENESS}}}ModelVersion") is None
    assert "model_version" not in str(manifest)


@pytest.mark.parametrize("veil", [None, 0.75])
def test_what_was_filled_from_the_photo_itself_is_enhanced_and_names_no_model(
    seal: Seal, picture: Image, veil: float | None
) -> None:
    facts = MarkFacts("7", "inpaint", "0123abcd", 0.1, ORIGINAL, veil, generated=False)
    file = marked(picture, "png", facts, seal)
    _, manifest = seal.read(file, "image/png")
    done = manifest["assertions"][0]["data"]["actions"][1:]
    assert [act["action"] for act in done] == ([] if veil is None else ["c2pa.adjustedColor"]) + ["c2pa.edited"]
    assert {act["digitalSourceType"] for act in done} == {ENHANCED}
    told = ElementTree.fromstring(packet_of(file))[0][0]
    assert told.findtext(f"{{{IPTC}}}DigitalSourceType") == ENHANCED
    assert told.findtext(f"{{{LIKENESS}}}Mode") == "inpaint"
    assert told.find(f"{{{LIKENESS}}}ModelVersion") is None
    assert "model_version" not in str(manifest)


def test_lifting_and_filling_are_two_actions(seal: Seal, picture: Image) -> None:
    file = marked(picture, "png", MarkFacts("7", "inpaint", "0123abcd", 1.0, ORIGINAL, 0.75), seal)
    _, adjusted, edited = seal.read(file, "image/png")[1]["assertions"][0]["data"]["actions"]
    assert (adjusted["digitalSourceType"], edited["digitalSourceType"]) == (ENHANCED, SOURCE_TYPE)
    assert ElementTree.fromstring(packet_of(file))[0][0].findtext(f"{{{IPTC}}}DigitalSourceType") == SOURCE_TYPE
    parameters = (adjusted["parameters"], edited["parameters"])
    assert ["likeness.model_version" in each for each in parameters] == [False, True]
    without = ElementTree.fromstring(packet_of(marked(picture, "png", FACTS)))[0][0]
    assert without.find(f"{{{LIKENESS}}}Veil") is None


@pytest.mark.parametrize("format_", SIGNED)
def test_any_changed_byte_of_the_picture_is_found(format_: PictureFormat, seal: Seal, picture: Image) -> None:
    file = marked(picture, format_, FACTS, seal)
    payload = {"png": b"IDAT", "webp": b"VP8L", "jpeg": b"\xff\xda", "tiff": b"II*\x00"}[format_]
    start = file.index(payload) + 64
    for place in range(start, start + 600, 97):
        changed = bytearray(file)
        changed[place] ^= 1
        assert seal.read(bytes(changed), f"image/{format_}")[0] == "Invalid", place


def test_another_installation_sees_a_valid_seal_that_it_does_not_trust(
    tmp_path: Path, seal: Seal, picture: Image
) -> None:
    other = open_seal(Paths(tmp_path))
    assert other.read(marked(picture, "png", FACTS, seal), "image/png")[0] in ("Valid", "Invalid")
    assert other.read(marked(picture, "png", FACTS, other), "image/png")[0] == "Trusted"
    with pytest.raises(DataError, match="take the file as it was written"):
        other.read(encoded(picture, ".png"), "image/png")


def test_bmp_has_no_place_for_a_mark(seal: Seal, picture: Image) -> None:
    assert marked(picture, "bmp", FACTS, seal) == encoded(picture, ".bmp")
    assert [format_of(suffix) for suffix in (".PNG", ".jpeg", ".tiff", ".tif", ".bmp")] == [
        "png", "jpeg", "tiff", "tiff", "bmp",
    ]  # fmt: skip


def test_threads_share_one_seal(seal: Seal, picture: Image) -> None:
    def sign(number: int) -> tuple[str, str]:
        file = marked(picture, "png", MarkFacts("7", "inpaint", f"{number:08x}", 0.1, ORIGINAL), seal)
        state, manifest = seal.read(file, "image/png")
        return state, manifest["title"]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(sign, range(40))) == [("Trusted", f"restored {number:08x}") for number in range(40)]


def test_the_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    open_seal(paths)
    key = paths.keys / "c2pa.key"
    before = key.read_bytes()
    open_seal(paths)
    assert key.read_bytes() == before
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    signer, authority = x509.load_pem_x509_certificates((paths.keys / "c2pa-chain.pem").read_bytes())
    signer.verify_directly_issued_by(authority)
    assert signer.not_valid_after_utc > datetime.now(UTC).replace(year=datetime.now(UTC).year + 9)


def test_a_given_pair_is_used_and_half_a_pair_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, picture: Image
) -> None:
    chain, key = make_chain(datetime.now(UTC))
    (tmp_path / "chain.pem").write_bytes(chain)
    (tmp_path / "key.pem").write_bytes(key)
    monkeypatch.setenv("LIKENESS_C2PA_CERT", str(tmp_path / "chain.pem"))
    with pytest.raises(ConfigError, match="set both or none"):
        open_seal(Paths(tmp_path))
    monkeypatch.setenv("LIKENESS_C2PA_KEY", str(tmp_path / "key.pem"))
    seal = open_seal(Paths(tmp_path))
    serial = seal.read(marked(picture, "png", FACTS, seal), "image/png")[1]["signature_info"]["cert_serial_number"]
    assert int(serial) == x509.load_pem_x509_certificates(chain)[0].serial_number
    assert not (tmp_path / "state" / "keys" / "c2pa.key").exists()
    (tmp_path / "key.pem").write_bytes(b"no key")
    with pytest.raises(ConfigError, match="PEM files at LIKENESS_C2PA_CERT"):
        open_seal(Paths(tmp_path))


def test_shares_are_written_as_they_are(picture: Image) -> None:
    shares = [0.0, 0.333333, 1.0]
    files = [marked(picture, "png", MarkFacts("1", "inpaint", "", share)) for share in shares]
    found = [ElementTree.fromstring(packet_of(file))[0][0] for file in files]
    read = [each.findtext(f"{{{LIKENESS}}}RestoredShare") for each in found]
    assert [float(text or "nan") for text in read] == shares
    assert all(a != b for a, b in itertools.pairwise(files))


def packet_of(file: bytes) -> bytes:
    return file[file.index(b"<x:xmpmeta") : file.index(b"</x:xmpmeta>") + len(b"</x:xmpmeta>")]
