"""Build the image and run infra/compose.yaml's parts from it: restore, train, promote, restart, see who writes where.

    sudo .venv/bin/python -m scripts.containers.check --work DIR [--base IMAGE] [-- OPTIONS OF buildah bud]

For machines where no engine starts containers; needs Debian's buildah, debootstrap and postgresql, and 20 GB in DIR.
Each part runs as the image's user, with its own mounts, on a root that cannot be written, in a network of the check's
own. What is not the engine's: networks between parts, capabilities, health checks. S3 is moto.
"""

import argparse
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from scripts.containers.image import Buildah, build, make_base, mount
from scripts.containers.parts import host_names, read_parts, variables
from scripts.containers.rooms import Rooms, ended
from scripts.containers.stand_ins import start_postgres, start_s3
from scripts.containers.steps import Steps, say


def main(arguments: Sequence[str]) -> None:
    """Build, then check in namespaces of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--work", type=Path, required=True, help="folder of the check; storage of buildah is kept in it"
    )
    parser.add_argument("--base", default="", help="image to build on [default: Debian, by debootstrap]")
    parser.add_argument("--release", default="bookworm", help="of Debian, for that base")
    parser.add_argument("--skip-build", action="store_true", help="check the image that was built last")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("options", nargs="*", help="of buildah bud")
    given = parser.parse_args(arguments)
    work = given.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    buildah = Buildah(work)
    if not given.inside:
        if not given.skip_build:
            began = time.monotonic()
            build(buildah, given.base or make_base(buildah, given.release), given.options)
            say(f"built in {time.monotonic() - began:.0f} s")
        _enter(arguments)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)  # noqa: S607 - Debian's
    _check(buildah, work / f"check-{secrets.token_hex(3)}")


def _enter(arguments: Sequence[str]) -> None:
    """Become the first process of namespaces for processes, mounts and network: what is started ends with this one."""
    namespaces = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
    command = [*namespaces, sys.executable, "-m", "scripts.containers.check", "--inside", *arguments]
    os.execvp("unshare", command)  # noqa: S606, S607 - Debian's


def _check(buildah: Buildah, work: Path) -> None:
    # in the background a shell's command has SIGINT ignored; parts inherit that, and Prefect's worker ends by it
    signal.signal(signal.SIGINT, signal.default_int_handler)
    work.mkdir()
    say(f"logs in {work}")
    image = mount(buildah)
    values = {name: secrets.token_hex(16) for name in variables() if name.endswith(("PASSWORD", "KEY"))}
    hosts = work / "hosts"
    hosts.write_text(f"127.0.0.1 localhost {socket.gethostname()} {' '.join(host_names())}\n")
    (work / "volumes").mkdir()
    parts = read_parts(image, work / "volumes", values)
    rooms = Rooms(image, work, hosts)
    rooms.make_volumes(parts)
    postgres, s3 = start_postgres(work, values), start_s3(work)
    try:
        with ended(rooms):
            figures = Steps(rooms, parts, work / "volumes").run()
    finally:
        for server in (postgres, s3):
            server.terminate()
            server.wait()
    say(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main(sys.argv[1:])
