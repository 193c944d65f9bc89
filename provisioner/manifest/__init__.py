"""YAML text to values: `load` reads a project, with every problem and its place; `schema` is for editors."""

from __future__ import annotations

from provisioner.manifest.load import load
from provisioner.manifest.schemas import editor_schema, schema

__all__ = ["editor_schema", "load", "schema"]
