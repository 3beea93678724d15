"""Run the service with uvicorn: one process, limits for slow clients, and an orderly shutdown."""

import os
import resource
import socket
from collections.abc import Callable
from math import ceil

import uvicorn

from models.errors import ConfigError
from pipeline.config.load import Params
from pipeline.project.paths import Paths
from serving.app import create_app
from serving.assemble import assemble
from serving.http.connection import protocol_with_timeouts
from serving.http.same_site import LOOPBACK
from serving.service import LAST_SECONDS, Service

_CONNECTIONS = 1024
"""With more open connections, or more requests in work, uvicorn answers 503. A client that sends one request after
another without reading counts twice for a moment."""
_OTHER_FILES = 256
"""Open files besides connections: models, databases, pictures."""
_IDLE_SECONDS = 75
"""How long a connection may be idle: longer than clients and proxies keep theirs, or a request could be lost when both
sides close at once."""


def serve(paths: Paths, params: Params, host: str, port: int, *, open_to_all: bool, say: Callable[[str], None]) -> None:
    """Serve until a signal ends it.

    Raises:
        ConfigError: an open service with public names or an address that other machines can reach, or a taken port.
        LikenessError: as `assemble`.
    """
    if open_to_all and host not in LOOPBACK:
        remedy = "leave out --open and create tokens with `likeness token new`"
        raise ConfigError(f"one of {', '.join(LOOPBACK)} for an open service", host, remedy)
    if open_to_all and params.serve.proxy.hosts:
        hosts = ", ".join(params.serve.proxy.hosts)
        raise ConfigError("no public names (serve.proxy.hosts) for an open service", hosts, "leave out --open")
    listening = listen(host, port)
    service = assemble(paths, params, open_to_all=open_to_all)
    name = f"[{host}]" if ":" in host else host
    say(f"serving on http://{name}:{listening.getsockname()[1]}{'' if not open_to_all else ' (open, no tokens)'}")
    try:
        server_for(service).run(sockets=[listening])
    finally:
        if service.pool.running():
            os._exit(os.EX_SOFTWARE)  # the interpreter would wait for its threads; all else is closed


class _Server(uvicorn.Server):
    """A server that ends in a bounded time: what has begun may go on for `shutdown_seconds`, then it is stopped."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more requests, and end those that have begun."""
        self._service.end_within(self._service.params.serve.shutdown_seconds)
        await super().shutdown(sockets)


def server_for(service: Service) -> uvicorn.Server:
    """Make the server, not yet running. It has no access log, which would contain addresses of callers."""
    limits = service.params.serve
    config = uvicorn.Config(
        create_app(service),
        http=protocol_with_timeouts(limits.header_seconds),
        ws="none",
        loop="asyncio",
        lifespan="on",
        proxy_headers=False,  # `ForwardedHeaders` reads them
        access_log=False,
        log_config=None,
        server_header=False,
        limit_concurrency=most_connections(),
        timeout_keep_alive=_IDLE_SECONDS,
        timeout_graceful_shutdown=ceil(limits.shutdown_seconds + LAST_SECONDS),
    )
    return _Server(config, service)


def most_connections() -> int:
    """Let this process open as many files as the connections need, and give how many of these there may be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _CONNECTIONS + _OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return _CONNECTIONS if soft == resource.RLIM_INFINITY else min(_CONNECTIONS, max(1, soft - _OTHER_FILES))


def listen(host: str, port: int) -> socket.socket:
    """Open a listening socket; port 0 takes any free port.

    Raises:
        ConfigError: the address cannot be listened on.
    """
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(
            f"an address to listen on, {host}:{port}", reason, "choose another --port or --host"
        ) from error
