"""Paths of this checkout, which do not depend on the working directory."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SPEC = ROOT / "spec"
CONTRACTS = "contracts.yaml"
CONTRACTS_SCHEMA = SPEC / "contracts.schema.json"
GENERATOR = ROOT / "generator"
TEMPLATES = GENERATOR / "templates"
CONFIG = GENERATOR / "config.yaml"
GENERATED = ROOT / "generated"
LOCK = "lock.json"
