"""`likeness serve`: the HTTP service on this machine."""

import os
from pathlib import Path

import click

from cli.options import root_option


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0 = a free one.")
@click.option("--open", "open_to_all", is_flag=True, help="Ask for no tokens; on loopback addresses only.")
@root_option
def serve_command(host: str, port: int, open_to_all: bool, root: Path) -> None:
    """Serve restorations over HTTP, with a page to try them. Ctrl-C or SIGTERM ends it after what has begun.

    Without --open each request needs a token: `likeness token new --role restore --name NAME`.
    """
    os.environ.setdefault(
        "OMP_WAIT_POLICY", "PASSIVE"
    )  # threads that wait shall not spin; read at torch's first import
    from pipeline.config.load import load_params
    from pipeline.project.paths import Paths
    from serving.server import serve

    paths = Paths(root.resolve())
    serve(paths, load_params(paths.params), host, port, open_to_all=open_to_all, say=click.echo)
