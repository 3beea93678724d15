"""Match photos with their masks and outputs: files, or folders by stem."""

from collections import Counter
from collections.abc import Iterable, Sequence
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


def requests_for_all(
    photos: Sequence[Path], mask: Path | None, out: Path | None, save_mask: Path | None = None
) -> list[Request]:
    """The photos to restore: of one input as `requests` lists them, or several files in the order they are named in.

    Args:
        photos: a file, a folder, or several files.
        mask: for several files a folder, or None.
        out: for several files a folder; None: photo-restored beside each.
        save_mask: for several files a folder, or None.

    Raises:
        DataError: as `requests`; a folder among several inputs.
    """
    if len(photos) == 1:
        return requests(photos[0], mask, out, save_mask)
    for photo in photos:
        _check_exists(photo, "check the path")
        if photo.is_dir():
            raise DataError("several files, or one folder", f"the folder {photo} among others", "name its photos")
    if mask is not None and not mask.is_dir():
        raise DataError("a folder of masks for several photos", f"{mask}", "put the masks into a folder, by stem")
    _check_folders((*(photo.parent for photo in photos), mask), out, save_mask)
    return _matched(photos, mask, out, save_mask)


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
    _check_exists(photo, "check the path")
    if mask is not None:
        _check_exists(mask, "check --mask")
    if mask is not None and photo.is_dir() != mask.is_dir():
        raise DataError("two files or two folders", f"{photo} with {mask}", "give photo and mask of the same sort")
    place = _default_output(photo) if out is None else out
    if photo.is_dir():
        return _folder(photo, mask, place, save_mask)
    kept = None if save_mask is None else _within(save_mask, photo, ".png")
    return [_single(photo, mask, _within(place, photo, _ending(photo)), kept)]


def _check_exists(path: Path, remedy: str) -> None:
    if not path.exists() and not path.is_symlink():
        raise DataError("a file or a folder", f"no such path: {path}", remedy)


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
    _check_folders((photos, masks), out, save_masks)
    listed = photo_files(photos)
    if not listed.photos:
        got = f"the folder {photos} without any" if listed.left_out else f"the empty folder {photos}"
        raise DataError("photos", got, "put pictures there")
    return _matched(listed.photos, masks, out, save_masks)


def _matched(photos: Sequence[Path], masks: Path | None, out: Path | None, save_masks: Path | None) -> list[Request]:
    """Give each photo its mask, by stem, and its output: in the folder `out`, or beside it."""
    by_stem: dict[str, list[Path]] = {}
    for mask in [] if masks is None else photo_files(masks).photos:
        by_stem.setdefault(mask.stem, []).append(mask)
    apart = out is None and masks is None and save_masks is None
    names = [photo.with_suffix("").absolute() if apart else Path(photo.stem) for photo in photos]
    times = Counter(names)
    return [
        _paired(photo, by_stem.get(photo.stem, []), times[name], masks, out, save_masks)
        for photo, name in zip(photos, names, strict=True)
    ]


def _check_folders(inputs: Sequence[Path | None], out: Path | None, save_masks: Path | None) -> None:
    for place, option in ((out, "--out"), (save_masks, "--save-mask")):
        if place is not None:
            _check_folder(place, inputs, option)
    if save_masks is not None and out is not None and save_masks.absolute() == out.absolute():
        raise DataError("two folders for pictures and masks", f"{out} twice", "choose another --save-mask")


def _check_folder(place: Path, inputs: Iterable[Path | None], option: str) -> None:
    if place.exists() and not place.is_dir():
        raise DataError("a folder for the outputs", f"the file {place}", f"choose another {option}")
    if _is_one_of(place, inputs):
        raise DataError(
            "a folder of their own for the outputs", f"{place}, which holds inputs", f"choose another {option}"
        )


def _paired(
    photo: Path, found: list[Path], times: int, masks: Path | None, out: Path | None, save_masks: Path | None
) -> Request:
    problem = None
    if times > 1:
        problem = DataError("one photo per stem", f"{times} called {photo.stem}", "rename all but one")
    elif masks is not None and len(found) != 1:
        problem = DataError(f"one mask {photo.stem}.* in {masks}", f"{len(found)} of them", "give each photo one mask")
    picture = fitting_name(photo.stem, ".png")
    mask = None if masks is None else found[0] if found else masks / picture
    output = _default_output(photo) if out is None else out / fitting_name(photo.stem, _ending(photo))
    return Request(photo, mask, output, None if save_masks is None else save_masks / picture, problem)


def _is_one_of(path: Path, others: Iterable[Path | None]) -> bool:
    known = (other for other in others if other is not None and other.exists())
    return path.exists() and any(path.samefile(other) for other in known)
