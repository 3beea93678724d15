"""`likeness serve`: the HTTP service on this machine."""

import os
from pathlib import Path

import click

from cli.options import root_option


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="Port to listen on; 0 = any free port.",
)
@click.option("--open", "open_to_all", is_flag=True, help="Require no tokens; only with a loopback address.")
@root_option
def serve_command(host: str, port: int, open_to_all: bool, root: Path) -> None:
    """Serve restorations over HTTP, with a web page at / and the API's documentation at /docs.

    Without --open each request needs a token: `likeness token new --role restore --name NAME`. Ctrl-C or SIGTERM
    ends the service after the requests that have begun.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # waiting threads must not spin; torch reads it on import
    from pipeline.config.load import load_params
    from pipeline.project.paths import Paths
    from serving.server import serve

    paths = Paths(root.resolve())
    serve(paths, load_params(paths.params), host, port, open_to_all=open_to_all, say=click.echo)
