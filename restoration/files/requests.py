"""Match photos with their masks and outputs: files, or folders by stem."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from models.errors import DataError
from pipeline.image_io.formats import sniff
from pipeline.image_io.write import OUTPUT_SUFFIXES, check_writable, is_lossless
from restoration.files.photo_files import first_bytes, fitting_name, photo_files


@dataclass(frozen=True)
class Request:
    """One photo to restore. `problem` is set when no work can begin: no mask of its stem, or a stem used twice.

    `mask` None: it is still to be found. `save_mask`: where the mask that was used goes, if anywhere.
    """

    photo: Path
    mask: Path | None
    out: Path
    save_mask: Path | None = None
    problem: DataError | None = None


def requests(photo: Path, mask: Path | None, out: Path | None, save_mask: Path | None = None) -> list[Request]:
    """The photos to restore, in order of name. From a folder every photo is taken, sidecars are left out.

    Args:
        photo: a file or a folder.
        mask: of the same sort, or None.
        out: a file, or a folder; None: photo-restored, or the folder photos-restored, beside the input. In a folder,
            and beside the input, an output has the format of its photo.
        save_mask: of the same sort as `out`, or None.

    Raises:
        DataError: a missing path, a file paired with a folder, an empty folder, or outputs that would replace inputs.
    """
    for path, remedy in ((photo, "check the path"), (mask, "check --mask")):
        if path is not None and not path.exists() and not path.is_symlink():
            raise DataError("a file or a folder", f"no such path: {path}", remedy)
    if mask is not None and photo.is_dir() != mask.is_dir():
        raise DataError("two files or two folders", f"{photo} with {mask}", "give photo and mask of the same sort")
    place = _default_output(photo) if out is None else out
    if photo.is_dir():
        return _folder(photo, mask, place, save_mask)
    kept = None if save_mask is None else _within(save_mask, photo, ".png")
    return [_single(photo, mask, _within(place, photo, _ending(photo)), kept)]


def _default_output(photo: Path) -> Path:
    """Where the output goes by default: beside the input, under a name of its own."""
    absolute = photo.absolute()
    ending = "-restored" if photo.is_dir() else f"-restored{_ending(photo)}"
    return absolute.with_name(fitting_name(absolute.name if photo.is_dir() else photo.stem, ending))


def _within(place: Path, photo: Path, ending: str) -> Path:
    return place / fitting_name(photo.stem, ending) if place.is_dir() else place


def _ending(photo: Path) -> str:
    """The extension of a photo's output: its own if that is one of its format's, which its bytes tell."""
    endings = OUTPUT_SUFFIXES.get(sniff(first_bytes(photo)) or "", (".png",))
    return photo.suffix if photo.suffix.lower() in endings else endings[0]


def _single(photo: Path, mask: Path | None, out: Path, save_mask: Path | None) -> Request:
    check_writable(out)
    if _is_one_of(out, (photo, mask)):
        raise DataError("an output beside its inputs", f"{out}, which is an input", "choose another --out")
    if save_mask is not None:
        if not is_lossless(save_mask):
            raise DataError("a lossless picture for the mask", save_mask.name, "let --save-mask end in .png")
        if _is_one_of(save_mask, (photo, mask)) or save_mask == out:
            raise DataError("a file of its own for the mask", f"{save_mask}", "choose another --save-mask")
    return Request(photo, mask, out, save_mask)


def _folder(photos: Path, masks: Path | None, out: Path, save_masks: Path | None) -> list[Request]:
    for place, option in ((out, "--out"), (save_masks, "--save-mask")):
        if place is not None:
            _check_folder(place, (photos, masks), option)
    if save_masks is not None and save_masks.absolute() == out.absolute():
        raise DataError("two folders for pictures and masks", f"{out} twice", "choose another --save-mask")
    listed = photo_files(photos)
    files = listed.photos
    if not files:
        got = f"the folder {photos} without any" if listed.left_out else f"the empty folder {photos}"
        raise DataError("photos", got, "put pictures there")
    by_stem: dict[str, list[Path]] = {}
    for mask in [] if masks is None else photo_files(masks).photos:
        by_stem.setdefault(mask.stem, []).append(mask)
    times = Counter(file.stem for file in files)
    return [_paired(file, by_stem.get(file.stem, []), times[file.stem], masks, out, save_masks) for file in files]


def _check_folder(place: Path, inputs: Iterable[Path | None], option: str) -> None:
    if place.exists() and not place.is_dir():
        raise DataError("a folder for the outputs", f"the file {place}", f"choose another {option}")
    if _is_one_of(place, inputs):
        raise DataError(
            "a folder of their own for the outputs", f"{place}, which holds inputs", f"choose another {option}"
        )


def _paired(
    photo: Path, found: list[Path], times: int, masks: Path | None, out: Path, save_masks: Path | None
) -> Request:
    problem = None
    if times > 1:
        problem = DataError("one photo per stem", f"{times} called {photo.stem}", "rename all but one")
    elif masks is not None and len(found) != 1:
        problem = DataError(f"one mask {photo.stem}.* in {masks}", f"{len(found)} of them", "give each photo one mask")
    picture = fitting_name(photo.stem, ".png")
    mask = None if masks is None else found[0] if found else masks / picture
    output = out / fitting_name(photo.stem, _ending(photo))
    return Request(photo, mask, output, None if save_masks is None else save_masks / picture, problem)


def _is_one_of(path: Path, others: Iterable[Path | None]) -> bool:
    known = (other for other in others if other is not None and other.exists())
    return path.exists() and any(path.samefile(other) for other in known)
