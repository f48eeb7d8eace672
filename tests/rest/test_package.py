"""The generated package as users import it."""

from __future__ import annotations

import doctest
import json
import pkgutil
import subprocess
import sys
from importlib import import_module
from importlib.resources import files

import pytest
import voyageai_rest
from voyageai_rest import Client
from voyageai_rest.operations import OPERATIONS

pytestmark = pytest.mark.smoke

MODULES = sorted(
    module.name for module in pkgutil.walk_packages(voyageai_rest.__path__, "voyageai_rest.")
)


def loaded_by(statement: str) -> set[str]:
    """Return the modules that a statement loads in a fresh process."""
    code = f"import sys\nbefore = set(sys.modules)\n{statement}\n"
    code += "import json; print(json.dumps(sorted(set(sys.modules) - before)))"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout))


@pytest.mark.parametrize(
    "statement",
    [
        "import voyageai_rest",
        "import voyageai_rest.catalogue",
        "import voyageai_rest.constraints, voyageai_rest.dtypes, voyageai_rest.operations",
        "import voyageai_rest.spec; voyageai_rest.spec.load()",
        "import voyageai_rest.models; voyageai_rest.models.EmbeddingsRequest",
        ";".join(f"import voyageai_rest.api.{operation.module}" for operation in OPERATIONS),
    ],
    ids=["package", "catalogue", "tables", "spec", "models", "operations"],
)
def test_no_http_library_is_loaded(statement: str) -> None:
    """Importing one takes longer than all the rest, and some programs send requests otherwise."""
    loaded = loaded_by(statement)
    assert {"voyageai_rest"} <= loaded
    assert set() == loaded & {"httpx2", "httpcore", "h11", "anyio", "asyncio", "ssl"}


def test_a_model_loads_only_itself() -> None:
    """A call needs two or three of dozens of models."""
    loaded = loaded_by("from voyageai_rest.models import EmbeddingsRequest")
    models = {name for name in loaded if name.startswith("voyageai_rest.models.")}
    assert {"voyageai_rest.models.embeddings_request"} == models


def test_the_client_is_loaded_when_asked_for() -> None:
    """Users import it by the name in the documentation."""
    loaded = loaded_by("from voyageai_rest import Client")
    assert {"httpx2", "voyageai_rest.client"} <= loaded
    assert "Client" == Client.__name__


def test_every_module_can_be_imported_first() -> None:
    """The modules have no circular imports, so users can start with any of them."""
    code = f"""
import sys
from importlib import import_module
for name in {MODULES!r}:
    for loaded in [key for key in sys.modules if key.startswith("voyageai_rest")]:
        del sys.modules[loaded]
    import_module(name)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "" == done.stderr


def test_the_examples_of_docstrings_run() -> None:
    """Users copy the examples."""
    for name in ("voyageai_rest", *MODULES):
        assert 0 == doctest.testmod(import_module(name)).failed, name


def test_there_are_examples() -> None:
    """Without examples, the test above would check nothing."""
    finder = doctest.DocTestFinder()
    found = [test for name in MODULES for test in finder.find(import_module(name)) if test.examples]
    assert 30 < len(found)


def test_every_public_thing_has_a_docstring() -> None:
    """Editors show the docstrings."""
    for name in ("voyageai_rest", *MODULES):
        module = import_module(name)
        things = [
            thing
            for key, thing in vars(module).items()
            if not key.startswith("_") and getattr(thing, "__module__", None) == name
        ]
        assert module.__doc__ or name.startswith("voyageai_rest.models."), name
        assert [] == [thing for thing in things if callable(thing) and not thing.__doc__]


def test_type_checkers_are_told_that_there_are_types() -> None:
    """PEP 561: without the marker, type checkers ignore all annotations."""
    assert files("voyageai_rest").joinpath("py.typed").is_file()


def test_an_unknown_name_is_an_attribute_error() -> None:
    """Lazy loading keeps Python's usual error for a typo."""
    with pytest.raises(AttributeError, match=r"voyageai_rest.*Clinet"):
        voyageai_rest.Clinet  # type: ignore[attr-defined]  # noqa: B018  # the point of the test
