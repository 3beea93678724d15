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
@click.option(
    "--root-path", help="Path below which a reverse proxy shows the service [default: serve.proxy.root_path]."
)
@click.option("--allowed-hosts", help="Public names, separated by commas [default: serve.proxy.hosts].")
@click.option(
    "--forwarded-allow-ips",
    envvar="FORWARDED_ALLOW_IPS",
    help="Proxies whose X-Forwarded-* headers count, separated by commas [default: serve.proxy.trusted].",
)
@root_option
def serve_command(
    host: str,
    port: int,
    open_to_all: bool,
    root_path: str | None,
    allowed_hosts: str | None,
    forwarded_allow_ips: str | None,
    root: Path,
) -> None:
    """Serve restorations over HTTP, with a web page at / and the API's documentation at /docs.

    Without --open each request needs a token: `likeness token new --role restore --name NAME`. Ctrl-C or SIGTERM
    ends the service after the requests that have begun. Behind a reverse proxy: docs/proxy.md.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # waiting threads must not spin; torch reads it on import
    from pipeline.config.load import load_params
    from pipeline.project.paths import Paths
    from serving.server import serve

    paths = Paths(root.resolve())
    chosen = {
        "serve.proxy.root_path": root_path,
        "serve.proxy.hosts": allowed_hosts and allowed_hosts.split(","),
        "serve.proxy.trusted": forwarded_allow_ips and forwarded_allow_ips.split(","),
    }
    params = load_params(paths.params, {key: value for key, value in chosen.items() if value is not None})
    serve(paths, params, host, port, open_to_all=open_to_all, say=click.echo)
