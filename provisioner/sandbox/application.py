"""The ASGI application: every vendor and tenant under `/{vendor}/{tenant}/`, each path behind its `Door`.

Beside the API, which is JSON, each has a console for people; see `console.py`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import datetime
from itertools import groupby
from operator import attrgetter

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provisioner.sandbox.console import routes as console_routes
from provisioner.sandbox.database import Database
from provisioner.sandbox.dispatch import Door, Vendor
from provisioner.sandbox.registry import VENDORS
from provisioner.sandbox.replies import not_found


def build(database: Database, clock: Callable[[sqlite3.Connection], datetime]) -> Starlette:
    """The application over `database`; `clock` reads the sandbox's time within a transaction."""
    api = [route for vendor in VENDORS.values() for route in _routes(vendor, database, clock)]
    app = Starlette(
        routes=[*api, *console_routes(database, clock)], exception_handlers={HTTPException: _no_such_path}
    )
    # A vendor that redirected `/keys/` to `/keys` would hide a client's mistake.
    app.router.redirect_slashes = False
    return app


def _routes(
    vendor: Vendor, database: Database, clock: Callable[[sqlite3.Connection], datetime]
) -> list[Route]:
    path = attrgetter("path")
    return [
        Route(
            f"/{vendor.name}/{{tenant}}/{name}",
            Door(database, clock, vendor.name, {operation.method: operation for operation in operations}),
        )
        for name, operations in groupby(sorted(vendor.operations, key=path), key=path)
    ]


async def _no_such_path(request: Request, error: Exception) -> Response:
    return not_found().problem().response()
