"""YAML text to values: `load` reads a project, with every problem and its place; `schema` is for editors."""

from __future__ import annotations

from provisioner.manifest.built_in import ALWAYS
from provisioner.manifest.load import load
from provisioner.manifest.locate import locate
from provisioner.manifest.problems import Place, Problem
from provisioner.manifest.schemas import editor_schema, schema

__all__ = ["ALWAYS", "Place", "Problem", "editor_schema", "load", "locate", "schema"]
