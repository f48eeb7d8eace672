"""The generated client of the Atlas Administration API, as it is imported."""

from __future__ import annotations

import doctest
import pkgutil
import subprocess
import sys
from importlib import import_module
from importlib.resources import files

import pytest
import voyageai_admin_rest
import voyageai_rest.errors
import voyageai_rest.types
from voyageai_admin_rest import errors, spec, types
from voyageai_admin_rest.models import ModelKey
from voyageai_admin_rest.operations import OPERATIONS, SERVERS

from generator import paths
from generator import spec as source

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(voyageai_admin_rest.__path__, "voyageai_admin_rest.")
)


def test_building_and_reading_loads_no_http_library() -> None:
    """Programs can build requests and send them by another library."""
    modules = [f"voyageai_admin_rest.api.{operation.module}" for operation in OPERATIONS]
    code = f"import sys, {', '.join(modules)}; sys.exit('httpx2' in sys.modules)"
    assert 0 == subprocess.run([sys.executable, "-W", "error", "-c", code], check=False).returncode
    assert 14 <= len(modules)


def test_the_examples_of_docstrings_run() -> None:
    """Users copy the examples."""
    outcomes = [doctest.testmod(import_module(name)) for name in MODULES]
    assert [] == [name for name, done in zip(MODULES, outcomes, strict=True) if done.failed]
    assert 10 < sum(done.attempted for done in outcomes)


@pytest.mark.parametrize(
    ("own", "shared"), [(types, voyageai_rest.types), (errors, voyageai_rest.errors)]
)
def test_types_and_errors_are_those_of_the_other_client(own: object, shared: object) -> None:
    """With types of its own it would need another transport, and a second `UNSET`."""
    names = [name for name in vars(own) if not name.startswith("_")]
    assert [] == [name for name in names if getattr(own, name) is not getattr(shared, name)]
    assert 6 < len(names)


def test_a_secret_is_in_the_model_and_not_in_its_repr() -> None:
    """Programs log models, and the log must not contain the secret."""
    key = ModelKey.from_dict({"name": "a", "secret": "al-1"})
    assert "al-1" == key.secret
    assert "ModelKey(name='a', secret=<secret>)" == repr(key)
    assert {"name": "a", "secret": "al-1"} == key.to_dict()
    assert "ModelKey(name='b')" == repr(ModelKey(name="b"))


def test_the_contract_is_the_one_in_the_spec() -> None:
    """The emulator and the tests read the contract from the package."""
    assert source.load(paths.SPEC / "admin.yaml") == spec.load()
    assert "https://cloud.mongodb.com" == SERVERS[0].url


def test_type_checkers_are_told_that_there_are_types() -> None:
    """PEP 561: without the marker, type checkers ignore all annotations."""
    assert files("voyageai_admin_rest").joinpath("py.typed").is_file()
