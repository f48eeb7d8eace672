"""Paths of this checkout; the generator works on it whatever the caller's directory."""

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
