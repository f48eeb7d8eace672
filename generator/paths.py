"""Paths of this checkout; the generator works on it whatever the caller's directory."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SPEC = ROOT / "spec"
OPENAPI = SPEC / "openapi.yaml"
CATALOGUE = SPEC / "catalogue.yaml"
CATALOGUE_SCHEMA = SPEC / "catalogue.schema.json"
GENERATOR = ROOT / "generator"
TEMPLATES = GENERATOR / "templates"
CONFIG = GENERATOR / "config.yaml"
GENERATED = ROOT / "generated"
PACKAGE = "voyageai_rest"
LOCK = "lock.json"
