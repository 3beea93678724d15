"""`likeness restore`: restore one photo or a folder of photos."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.options import restoring_place, say
from pipeline.project.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from restoration.files.restore_files import Row, Settings
    from restoration.modes import RequestedMode

_PATH = click.Path(path_type=Path)


@click.command("restore")
@click.argument("photos", type=_PATH, metavar="INPUT...", nargs=-1, required=True)
@click.option(
    "--mask",
    type=_PATH,
    help="Picture that is white where the photo is damaged, or a transparent layer with strokes; a folder if INPUT is "
    "one, or several. Without it, damage is detected.",
)
@click.option(
    "--out",
    type=_PATH,
    help="Output file, or a folder (then files with the same names and formats). An existing file is replaced. "
    "[default: INPUT-restored in the format of INPUT, or the folder INPUT-restored, next to INPUT]",
)
@click.option(
    "--save-mask",
    type=_PATH,
    help="Also write the mask: white = restored, dark grey = only proposed; a folder if INPUT is one, or several.",
)
@click.option(
    "--mode",
    type=click.Choice(["auto", "inpaint", "partial", "colorize"]),
    default="auto",
    show_default=True,
    help="auto: keep the limits of params.yaml; inpaint: ignore them; partial: fill within them and leave the rest; "
    "colorize: only add colour, under the mask or without one anywhere; a grey photo gets it on heads alone.",
)
@click.option(
    "--model", default="champion", show_default=True, help="Model: champion, challenger, shipped or a version number."
)
@click.option(
    "--reference",
    "references",
    type=_PATH,
    multiple=True,
    help="An intact photo of the same person; may be given several times. A photo of another person is not used.",
)
@click.option(
    "--strength",
    type=click.FloatRange(0, 1),
    default=1.0,
    show_default=True,
    help="Share of what the face model fills, where damage is wide or hides a feature; 0: only what surrounds it.",
)
@click.option(
    "--fade",
    is_flag=True,
    help="Also lift fading and yellowing from the whole photo: contrast, and the cast of a colour photo. Nothing is "
    "invented, but no pixel stays as it came. With an all-black --mask that is all that is done.",
)
@click.option("--strip", is_flag=True, help="Keep no metadata at all: no colour profile, resolution or date either.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON per photo.")
@click.option(
    "--root",
    type=click.Path(path_type=Path, file_okay=False),
    help="The checkout whose parameters and models are used [default: the current folder if it has a params.yaml; "
    "else those that are installed, with state in ~/.local/state/likeness].",
)
def restore_command(
    photos: tuple[Path, ...],
    mask: Path | None,
    out: Path | None,
    save_mask: Path | None,
    mode: "RequestedMode",
    model: str,
    references: tuple[Path, ...],
    strength: float,
    fade: bool,
    strip: bool,
    as_json: bool,
    root: Path | None,
) -> None:
    """Restore INPUT, photos or a folder of photos, where the mask is white or where damage is detected.

    Without a mask, cracks, folds, scratches, dust, stains, tears, holes and the like are detected in the whole photo.
    Certain damage is restored; possible damage is only proposed (--save-mask shows it in dark grey, --mode inpaint
    restores it, too). A photo without certain damage is returned unchanged, and its line says "unchanged". Missing
    colour is no damage: use --mode colorize for it.

    INPUT may be JPEG, PNG, WebP, TIFF, BMP, MPO, HEIC or AVIF, of up to 100 megapixels and 200 MiB. By default the
    output has the format, depth, greys and colour profile of INPUT, its resolution and its dates; position, thumbnail
    and all other metadata are dropped, with --strip those, too. The mask is turned by its own EXIF, as INPUT is by its.

    Pixels outside the mask stay exactly the same in PNG, TIFF, BMP and WebP; JPEG, HEIC and AVIF encode them anew, so
    that they change a little. The line says what was lost. The mask first grows by at most 12 pixels, over the blurred
    or compressed edge of the damage. Outputs are marked as AI-restored (where no trained model was used, as corrected
    by an algorithm), in XMP and in a signed C2PA manifest (not in BMP, which cannot contain them). A refused photo gets
    a reason and no output. In a folder, sidecars and other files that are no photos are left out, a photo that fails
    gets a line, the others go on, and the exit status is 1.
    """
    from models.errors import LikenessError
    from restoration.files.requests import requests_for_all
    from restoration.files.restore_files import failed_row, restore_all, restore_file

    one = len(photos) == 1 and not photos[0].is_dir()

    def rows() -> "Iterator[Row]":
        batch = requests_for_all(photos, mask, out, save_mask)
        search = mask is None and mode != "colorize"
        settings = _settings(root, mode, model, references, search=search, strip=strip, strength=strength, fade=fade)
        return iter([restore_file(batch[0], settings)]) if one else restore_all(batch, settings)

    if photos[0].is_dir():
        _name_left_out(photos[0])
    try:
        results = rows()
    except LikenessError as error:
        if not (one and as_json):
            raise
        results = iter([failed_row(photos[0], error)])
    failed = 0
    for row in results:
        _show(row, as_json)
        failed += row.outcome == "failed"
    if failed:
        raise click.exceptions.Exit(1)


def _name_left_out(folder: Path) -> None:
    from restoration.files.photo_files import photo_files

    names = [path.name for path in photo_files(folder).left_out]
    if names:
        logging.getLogger("likeness").info(printable(f"no photos, left out: {', '.join(names)}", 2000))


def _settings(
    root: Path | None,
    mode: "RequestedMode",
    model: str,
    references: tuple[Path, ...],
    *,
    search: bool,
    strip: bool,
    strength: float,
    fade: bool,
) -> "Settings":
    from models.load import load_restorer
    from models.runtime.memory import give_back_memory, map_large_blocks
    from pipeline.config.load import load_params
    from pipeline.image_io.outcome import Limits
    from pipeline.image_io.write import read_picture
    from pipeline.project.paths import Paths
    from pipeline.registry.weights import resolve_weights
    from restoration.files.restore_files import Settings
    from restoration.find_damage import finder_of, required
    from restoration.photo.inpainter import load_inpainter
    from restoration.provenance.marking import open_seal
    from restoration.types import load_tools

    map_large_blocks()
    place = restoring_place(root)
    paths, params = Paths(place.root), load_params(place.params)
    limits = Limits.of(params.restore.files)
    finder = required(finder_of(params.identity.edition)) if search else None
    reference_photos = [read_picture(path, limits) for path in references]
    weights, version = resolve_weights(paths, params.registry.model_name, params.identity.edition, model)
    tools = load_tools(params.restore.min_detector_score, params.identity)
    if params.restore.inpainter is not None:
        load_inpainter(params.restore.inpainter)  # a wrong file is told before any photo is read
    restorer, seal = load_restorer(weights), open_seal(paths)
    give_back_memory()
    return Settings(
        restorer, version, mode, params.restore, limits, tools, reference_photos, finder, seal, strip, strength, fade
    )


def _show(row: "Row", as_json: bool) -> None:
    say(row.as_json() if as_json else row.as_text())
