"""`likeness restore`: one photo or a folder of them."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.options import root_option

if TYPE_CHECKING:
    from restoration.files import Row, Settings
    from restoration.modes import RequestedMode

_PATH = click.Path(path_type=Path)


@click.command("restore")
@click.argument("photo", type=_PATH, metavar="INPUT")
@click.option(
    "--mask",
    type=_PATH,
    help="White where the photo is damaged; a folder for a folder. Without it, damage is searched.",
)
@click.option(
    "--out",
    type=_PATH,
    help="A picture file, or a folder (then PNG, by the same stem). Else INPUT-restored.png, or the folder "
    "INPUT-restored, beside INPUT; one from an earlier run is replaced.",
)
@click.option(
    "--save-mask",
    type=_PATH,
    help="Also write the mask: white = restored, dark grey = only proposed; a folder for a folder.",
)
@click.option(
    "--mode",
    type=click.Choice(["auto", "inpaint", "partial", "colorize"]),
    default="auto",
    show_default=True,
    help="auto keeps the limits of params.yaml, inpaint overrides them; partial fills within them and leaves the rest; "
    "colorize takes only the colour under the mask, or without one that of the whole photo, as missing.",
)
@click.option("--model", default="champion", show_default=True, help="champion, challenger, shipped or a version.")
@click.option(
    "--reference",
    "references",
    type=_PATH,
    multiple=True,
    help="An intact photo of the person, as evidence; several may be given. One that shows somebody else is not used.",
)
@click.option("--json", "as_json", is_flag=True, help="One line of JSON per photo.")
@root_option
def restore_command(
    photo: Path,
    mask: Path | None,
    out: Path | None,
    save_mask: Path | None,
    mode: "RequestedMode",
    model: str,
    references: tuple[Path, ...],
    as_json: bool,
    root: Path,
) -> None:
    """Restore the photo or print INPUT where MASK is white, or where damage is found.

    Without a mask, cracks, folds, scratches, dust, stains, tears, holes and the like are searched over the whole photo.
    What is damaged for certain is restored; what may be is only proposed (--save-mask shows it in dark grey, --mode
    inpaint takes it). A photo in which nothing is certain comes back as it came, and its line says "unchanged". A photo
    without colour is not damaged for that: ask for colour with --mode colorize.

    Known pixels stay as they were, to the bit (in PNG, TIFF, BMP and WebP); the mask first grows, by at most 12 pixels,
    over the rim into which a soft or compressed edge of the damage has bled. Outputs are marked as AI-restored, in XMP
    and in a signed C2PA manifest (not in BMP, which has no place for it); the metadata of INPUT is not carried over.
    A photo that is refused gets its reason and no output. In a folder, a file that fails gets a row and stops nothing;
    the exit status is then 1.
    """
    from restoration.files import restore_all, restore_file
    from restoration.requests import requests

    batch = requests(photo, mask, out, save_mask)
    settings = _settings(root, mode, model, references, search=mask is None and mode != "colorize")
    rows = restore_all(batch, settings) if photo.is_dir() else iter([restore_file(batch[0], settings)])
    failed = 0
    for row in rows:
        _show(row, as_json)
        failed += row.outcome == "failed"
    if failed:
        raise click.exceptions.Exit(1)


def _settings(
    root: Path, mode: "RequestedMode", model: str, references: tuple[Path, ...], *, search: bool
) -> "Settings":
    from models.load import load_restorer
    from pipeline.config.load import load_params
    from pipeline.image_io.outcome import Limits
    from pipeline.image_io.write import read_picture
    from pipeline.project.paths import Paths
    from pipeline.registry.weights import resolve_weights
    from restoration.files import Settings
    from restoration.find_damage import shipped_finder
    from restoration.provenance.marking import open_seal
    from restoration.types import load_tools

    paths = Paths(root.resolve())
    params = load_params(paths.params)
    limits = Limits.of(params.ingest)
    known = [read_picture(path, limits) for path in references]
    weights, version = resolve_weights(paths, params.registry.model_name, model)
    tools = load_tools(params.restore.min_detector_score)
    finder = shipped_finder() if search else None
    restorer, seal = load_restorer(weights), open_seal(paths)
    return Settings(restorer, version, mode, params.restore, limits, tools, known, finder, seal)


def _show(row: "Row", as_json: bool) -> None:
    click.echo(row.as_json() if as_json else row.as_text())
