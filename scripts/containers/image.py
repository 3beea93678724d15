"""Build the image with buildah, on a base from Debian's packages where no registry is at hand."""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BASE = "localhost/likeness-base"
IMAGE = "localhost/likeness:check"
_PACKAGES = "python3,python3-venv,python3-pip,ca-certificates"
_LIMITED = ("--isolation", "chroot", "--ulimit", "nofile=1024:1024")
"""Where neither cgroups nor limits can be set, as inside another container."""


@dataclass(frozen=True)
class Image:
    """An image's files, mounted at `root`, and what it says about running it."""

    root: Path
    environment: Mapping[str, str]
    entrypoint: tuple[str, ...]
    working_dir: str
    user: str


@dataclass(frozen=True)
class Buildah:
    """Buildah with its storage in `work`, where everything of a check lies."""

    work: Path

    def run(self, *arguments: str) -> str:
        """Run a command of buildah; its messages go to this process's standard error."""
        storage = ("--root", str(self.work / "storage"), "--runroot", str(self.work / "run"))
        done = subprocess.run(["buildah", *storage, *arguments], stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603, S607 - Debian's
        return done.stdout.strip()

    def has(self, image: str) -> bool:
        """Tell whether an image is in the storage."""
        return bool(self.run("images", "--quiet", "--filter", f"reference={image}"))


def make_base(buildah: Buildah, release: str) -> str:
    """Make an image of Debian's `release` with its own Python, unless it is there; gives its name."""
    if not buildah.has(BASE):
        files = buildah.work / "base"
        subprocess.run(  # noqa: S603 - Debian's
            ["debootstrap", "--variant=minbase", f"--include={_PACKAGES}", release, str(files)],  # noqa: S607
            check=True,
        )
        made = buildah.run("from", "scratch")
        buildah.run("copy", "--quiet", made, str(files), "/")
        buildah.run("commit", "--quiet", made, BASE)
        buildah.run("rm", made)
    return BASE


def build(buildah: Buildah, base: str, options: Sequence[str]) -> None:
    """Build infra/Dockerfile on `base`; `options` are buildah's, such as volumes with packages."""
    dockerfile = str(ROOT / "infra" / "Dockerfile")
    named = ("--build-arg", f"PYTHON={base}", "--tag", IMAGE, "--file", dockerfile)
    buildah.run("bud", *_LIMITED, "--layers", *options, *named, str(ROOT))


def mount(buildah: Buildah) -> Image:
    """Mount the image's files and read what it says about itself."""
    container = buildah.run("from", "--pull-never", IMAGE)
    said = json.loads(buildah.run("inspect", container))["OCIv1"]["config"]
    root = Path(buildah.run("mount", container))
    os.close(os.open(root / "etc" / "hosts", os.O_CREAT))
    environment = dict(entry.split("=", 1) for entry in said["Env"])
    return Image(root, environment, tuple(said["Entrypoint"]), said["WorkingDir"], said["User"])
