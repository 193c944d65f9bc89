"""What a credential has for itself: the variables that it writes, and a user who can have only one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

from msgspec import Struct, field

from provisioner.core.model import Address, JsonValue, Kind
from provisioner.manifest.problems import Place, Problems


class Claims(Struct):
    """Who writes which variable of which file, and who is linked to which user where each can have one."""

    problems: Problems
    _kinds: dict[str, tuple[Kind, Address]] = field(default_factory=dict)
    _variables: dict[tuple[str, str], Address] = field(default_factory=dict)
    _users: dict[tuple[str, str, str], Address] = field(default_factory=dict)

    def text(self) -> str:
        """All claims as JSON: by path the kind of environment and the variables; then the users."""
        paths = {path: (kind, list[str]()) for path, (kind, _) in self._kinds.items()}
        for path, variable in self._variables:
            paths[path][1].append(variable)
        return json.dumps({"paths": paths, "users": list(self._users)})

    def write(
        self, address: Address, kind: Kind, path: str, variables: Iterable[str], place: Callable[[], Place]
    ) -> None:
        """Note what is written where, and the problem if another credential's is in the way.

        `place` is asked only then.
        """
        first_kind, first = self._kinds.setdefault(path, (kind, address))
        if first_kind is not kind:
            self.problems.add(
                place(),
                f"{path} is claimed by {first} ({first_kind}) and by {address} ({kind}), and test and "
                "production never share a file: put {environment} into the sink's path",
            )
            return
        for variable in variables:
            holder = self._variables.setdefault((path, variable), address)
            if holder is not address:
                self.problems.add(
                    place(),
                    f"{path} is claimed twice: {holder} and {address} both write {variable} there; "
                    "choose other variables with `as`, or put {name} into the sink's path",
                )
                return

    def link(self, address: Address, provider: str, user: JsonValue, place: Callable[[], Place]) -> None:
        """Note who has this user of a vendor that gives each only one, and the problem if another has it."""
        holder = self._users.setdefault((provider, address.environment, str(user)), address)
        if holder != address:
            self.problems.add(
                place(),
                f"{provider} gives each user one credential, and user {user} has {holder}: "
                f"link another user to {address}, or remove one of the two",
            )


def differ(texts: Iterable[str]) -> bool:
    """Whether no two of these claim the same. Each is what `Claims.text` gave, without problems."""
    variables: dict[str, tuple[str, set[str]]] = {}
    users: set[tuple[str, ...]] = set()
    for text in texts:
        found = json.loads(text)
        for path, (kind, names) in found["paths"].items():
            first, taken = variables.setdefault(path, (kind, set()))
            if first != kind or not taken.isdisjoint(names):
                return False
            taken.update(names)
        linked = set(map(tuple, found["users"]))
        if not users.isdisjoint(linked):
            return False
        users |= linked
    return True
