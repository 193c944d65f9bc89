"""The one type for secrets: it can be handed on, sealed and delivered, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NoReturn


class Secret:
    """The parts of one issued credential, such as client_id and client_secret.

    There is no way to print, compare, pickle, copy or JSON-encode it, so that a slip is a TypeError in a
    test and not a line in a log. `reveal` is the only way in; call it where the bytes leave.
    """

    __slots__ = ("__parts",)

    def __init__(self, parts: Mapping[str, str]) -> None:
        self.__parts = dict(parts)

    def __iter__(self) -> Iterator[str]:
        """The names of the parts, which are no secret."""
        return iter(self.__parts)

    def reveal(self, part: str) -> str:
        """One part in clear. Raises KeyError naming the part, never a value."""
        return self.__parts[part]

    def __repr__(self) -> str:
        # Debuggers and test runners call this on their own; it says that there is one, never what it is.
        return f"<Secret of {len(self.__parts)} parts>"

    def _refuse(self, *_: Any) -> NoReturn:
        raise TypeError("a Secret cannot be printed, compared, hashed, copied or serialised")

    __str__ = __format__ = __eq__ = __ne__ = __reduce__ = __reduce_ex__ = __copy__ = __deepcopy__ = _refuse
    __hash__ = None  # type: ignore[assignment]  # unhashable on purpose
