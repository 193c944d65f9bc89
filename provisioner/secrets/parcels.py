"""What the sinks share: the values of a parcel, a sink's options, and the paths that name a parcel."""

from __future__ import annotations

from string import Formatter

from msgspec import Struct

from provisioner.core.delivery import Parcel
from provisioner.core.project import SinkConfig
from provisioner.errors import SinkError

PLACEHOLDERS = ("environment", "name", "provider")


def values_of(parcel: Parcel) -> dict[str, str]:
    """What the consumer gets, in clear, by the consumer's names. Raises SinkError for an unknown part."""
    missing = sorted(set(parcel.names.values()) - set(parcel.secret))
    if missing:
        raise SinkError(
            f"the secret of {parcel.address} has no part {missing[0]}",
            remedy=f"deliver one of its parts: {', '.join(sorted(parcel.secret))}",
        )
    return {name: parcel.secret.reveal(part) for name, part in parcel.names.items()}


def text_option(config: SinkConfig, key: str, default: str = "") -> str:
    """A text among a sink's options. Raises SinkError where it is missing and has no default."""
    value = config.options.get(key, default)
    if not isinstance(value, str) or not (value or key in config.options or default):
        raise SinkError(f"sink {config.name}: `{key}` is missing or no text")
    return value


def seconds_option(config: SinkConfig, key: str, default: float) -> float:
    """A positive number of seconds among a sink's options. Raises SinkError for anything else."""
    value = config.options.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise SinkError(f"sink {config.name}: `{key}` is not a number of seconds")
    return float(value)


class PathTemplate(Struct, frozen=True):
    """A path with `{environment}`, `{name}` and `{provider}` in it."""

    sink: str
    text: str

    def __post_init__(self) -> None:
        if not self.text or not all(_known(field) for field in self._fields()):
            raise SinkError(
                f"sink {self.sink}: {self.text!r} is not a path",
                remedy=f"only {', '.join(f'{{{name}}}' for name in PLACEHOLDERS)} may stand in braces",
            )

    def fill(self, parcel: Parcel) -> str:
        """The path for this parcel. Raises SinkError where it would lead anywhere but down."""
        address = parcel.address
        values = (address.environment, address.name, parcel.provider)
        if any(value in {"", ".", ".."} or "/" in value or "\0" in value for value in values):
            raise SinkError(f"sink {self.sink}: {address} cannot be part of a path")
        path = self.text.format(**dict(zip(PLACEHOLDERS, values, strict=True)))
        parts = path.removeprefix("/").split("/")
        if "\0" in path or any(part in {"", ".", ".."} for part in parts):
            raise SinkError(f"sink {self.sink}: the path {path!r} must lead down, step by step, to a file")
        return path

    def _fields(self) -> list[tuple[str | None, str | None, str | None]]:
        try:
            return [(field, spec, conversion) for _, field, spec, conversion in Formatter().parse(self.text)]
        except ValueError:
            return [("", None, None)]


def _known(field: tuple[str | None, str | None, str | None]) -> bool:
    name, spec, conversion = field
    return name is None or (name in PLACEHOLDERS and not spec and not conversion)
