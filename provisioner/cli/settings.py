"""What holds for a whole run of the program: how it shows things."""

from __future__ import annotations

from msgspec import Struct


class Settings(Struct):
    """The global options, as one object that every command gets."""

    debug: bool = False
    color: str = "auto"
    """`auto`, `always` or `never`."""
