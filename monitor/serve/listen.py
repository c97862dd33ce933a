"""The server's socket and loop."""

from __future__ import annotations

import socket

import uvicorn
from starlette.types import ASGIApp

from monitor.errors import InputError

# Requests at work and connections that wait at once; one more is told to come again.
MOST_AT_ONCE = 64
IDLE_SECONDS = 10


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises InputError where it cannot."""
    bare = host.strip("[]")
    family = socket.AF_INET6 if ":" in bare else socket.AF_INET
    try:
        return socket.create_server((bare, port), family=family)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{host}:{port}: cannot be listened on: {reason}; choose another with --host or --port") from None


def server_of(app: ASGIApp) -> uvicorn.Server:
    """Nothing is logged of what was asked; addresses come from the connection, never from a header."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            proxy_headers=False,
            server_header=False,
            limit_concurrency=MOST_AT_ONCE,
            timeout_keep_alive=IDLE_SECONDS,
            timeout_graceful_shutdown=5,
        )
    )


def serve(app: ASGIApp, listening: socket.socket) -> None:
    """Answers until the process is told to stop."""
    with listening:
        server_of(app).run(sockets=[listening])
