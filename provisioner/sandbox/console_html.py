"""HTML by construction: whatever is not `Markup` is text, and text is escaped."""

from __future__ import annotations

from html import escape

_VOID = frozenset({"br", "input", "link", "meta"})


class Markup(str):
    """HTML that this package wrote. Made by `tag`, `join` and `raw` only; any other text is data."""

    __slots__ = ()


def tag(element: str, /, *children: str | Markup | None, **attributes: str | bool | None) -> Markup:
    """One element. `True` writes a bare attribute; `None` and `False` write none; `class_` is `class`."""
    opening = f"<{element}{''.join(_attribute(key, value) for key, value in attributes.items())}>"
    return Markup(opening if element in _VOID else f"{opening}{join(*children)}</{element}>")


def join(*children: str | Markup | None) -> Markup:
    """One after the other; `None` is nothing."""
    return Markup("".join(_text(child) for child in children if child is not None))


def raw(html: str) -> Markup:
    """A constant of this package, as it stands."""
    return Markup(html)


def _attribute(key: str, value: str | bool | None) -> str:
    name = key.rstrip("_").replace("_", "-")
    if value is None or value is False:
        return ""
    return f" {name}" if value is True else f' {name}="{escape(value)}"'


def _text(child: str) -> str:
    return child if isinstance(child, Markup) else escape(child)
