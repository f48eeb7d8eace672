"""Properties that frameworks rely on, or that keep the package light."""

from __future__ import annotations

import ast
import builtins
import inspect
import json
import subprocess
import sys
import types
from unittest import mock

import pytest
import voyageai

from .conftest import requesting

pytestmark = pytest.mark.smoke

# The official client 0.5.0: names in order, with defaults. Read from its documentation and code.
REQUIRED = inspect.Parameter.empty
OFFICIAL = {
    "__init__": [("self", REQUIRED), ("api_key", None), ("max_retries", 0), ("timeout", None), ("base_url", None)],
    "embed": [("self", REQUIRED), ("texts", REQUIRED), ("model", None), ("input_type", None),
              ("truncation", True), ("output_dtype", None), ("output_dimension", None)],
    "contextualized_embed": [("self", REQUIRED), ("inputs", REQUIRED), ("model", REQUIRED),
                             ("input_type", None), ("output_dtype", None), ("output_dimension", None),
                             ("chunk_fn", None), ("enable_auto_chunking", False),
                             ("chunk_size", None), ("chunk_overlap", None)],
    "multimodal_embed": [("self", REQUIRED), ("inputs", REQUIRED), ("model", REQUIRED),
                         ("input_type", None), ("truncation", True), ("output_dtype", None),
                         ("output_dimension", None)],
    "rerank": [("self", REQUIRED), ("query", REQUIRED), ("documents", REQUIRED), ("model", REQUIRED),
               ("top_k", None), ("truncation", True)],
}  # fmt: skip
CLASSES = ("Client", "AsyncClient")


def run(script: str) -> str:
    """Return the output of a fresh interpreter."""
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("method", OFFICIAL)
def test_signatures_begin_with_the_official_ones(kind, method):
    """Existing positional and keyword calls keep working, as new parameters come after."""
    parameters = inspect.signature(getattr(getattr(voyageai, kind), method)).parameters.values()
    found = [(parameter.name, parameter.default) for parameter in parameters]
    # A model may be left out where a host serves a single one.
    official = [(n, None if n == "model" else default) for n, default in OFFICIAL[method]]

    assert official == found[: len(official)]


def test_both_clients_have_the_same_methods_with_the_same_signatures():
    """A method added to one client only, or with other arguments, fails here."""
    sync, asynchronous = (requesting(getattr(voyageai, kind)) for kind in CLASSES)

    assert sync == asynchronous
    assert set(OFFICIAL) - {"__init__"} <= set(sync)


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("method", sorted(set(OFFICIAL) - {"__init__"}))
def test_methods_stand_in_the_class_itself(kind, method):
    """Tracing packages wrap the methods on the class, and choose the wrapper by their kind."""
    member = vars(getattr(voyageai, kind))[method]

    assert isinstance(member, types.FunctionType)
    assert (kind == "AsyncClient") == inspect.iscoroutinefunction(member)


@pytest.mark.parametrize("kind", CLASSES)
def test_instances_take_attributes(kind):
    """Tests of frameworks set attributes and patch methods."""
    client = getattr(voyageai, kind)(api_key="k")
    client.tokenize = "set"
    with mock.patch.object(client, "embed", new=lambda texts: f"patched {texts}"):
        assert "patched a" == client.embed("a")

    assert "set" == vars(client)["tokenize"]
    assert {"api_key", "request_timeout", "base_url"} == set(client._params)
    assert ("k", 0) == (client.api_key, client.max_retries)


def test_submodules_are_reached_after_a_bare_import():
    """Frameworks write `voyageai.client_async.AsyncClient` in type annotations."""
    script = (
        "import voyageai\n"
        "print(voyageai.client_async.AsyncClient is voyageai.AsyncClient,"
        " voyageai.client.Client is voyageai.Client, voyageai.error.RateLimitError.__name__,"
        " voyageai.object.RerankingObject.__name__, voyageai.prompts.render('a', 'query')[:9],"
        " voyageai.__version__ == voyageai.VERSION, hasattr(voyageai, 'nothing'))"
    )

    assert "True True RateLimitError RerankingObject Represent True False" == run(script)


def test_every_name_that_is_listed_is_there_and_every_one_there_is_listed():
    """Every public name can be imported and is completed by interpreters."""
    assert [] == [name for name in voyageai.__all__ if not hasattr(voyageai, name)]
    assert sorted(voyageai.__all__) == sorted(set(voyageai.__all__))
    assert set(voyageai.__all__) <= set(dir(voyageai))


def test_interpreters_complete_names_of_the_interface_alone():
    """Internal modules and their imports must not appear as part of the interface."""
    voyageai.Client("k")  # which loads many of them
    offered = {name for name in dir(voyageai) if not name.startswith("__")}

    assert {*voyageai.__all__, "object"} == offered | {"__version__"}


STARRED = ("", ".error", ".object", ".util", ".api_resources", ".chunking", ".embeddings_utils",
           ".prompts", ".quantization", ".video_utils", ".local", ".files", ".batches",
           ".tables", ".emulator", ".client", ".client_async")  # fmt: skip


@pytest.mark.parametrize("module", STARRED)
def test_a_star_import_hides_no_builtin(module):
    """Otherwise `class Mine(object)` would break far from the import."""
    names = {}
    exec(f"from voyageai{module} import *", names)

    assert set() == (set(names) - {"__builtins__"}) & set(dir(builtins))


def test_a_module_that_a_star_import_leaves_out_is_there():
    """The official client has its results in `voyageai.object`."""
    assert "object" in dir(voyageai)
    assert voyageai.object.EmbeddingsObject.__name__ == "EmbeddingsObject"


HEAVY = ("httpx2", "attrs", "attr", "numpy", "json", "asyncio", "voyageai_rest", "pybase64", "ssl")


def test_modules_load_when_they_are_needed():
    """Importing loads nothing, the first client loads httpx2, and the first call its models."""
    script = (
        "import sys\n"
        f"def loaded(): return [name for name in {HEAVY!r} if name in sys.modules]\n"
        "import voyageai; print(loaded())\n"
        "vo = voyageai.Client(api_key='k', base_url='http://127.0.0.1:9/v1')\n"
        "print('httpx2' in sys.modules, any('voyageai_rest.models' in name for name in sys.modules))\n"
        "try: vo.embed(['a'], model='voyage-4')\n"
        "except voyageai.error.APIConnectionError: pass\n"
        "print(sorted(n for n in sys.modules if n.startswith('voyageai_rest.models.')))\n"
        "print('numpy' in sys.modules, 'PIL' in sys.modules, 'asyncio' in sys.modules)"
    )
    first, second, third, fourth = run(script).splitlines()

    assert "[]" == first
    assert "True False" == second
    assert "voyageai_rest.models.embeddings_request" in ast.literal_eval(third)
    assert len(ast.literal_eval(third)) <= 4
    assert "False False False" == fourth


@pytest.mark.parametrize("name", ["tokenizer", "tokenize", "count_tokens", "count_usage"])
def test_counting_has_a_form_that_does_not_block(name):
    """The asynchronous client's official names block, so each has a twin that does not."""
    blocking = inspect.signature(getattr(voyageai.Client, name))

    assert blocking == inspect.signature(getattr(voyageai.AsyncClient, name))
    assert blocking == inspect.signature(getattr(voyageai.AsyncClient, f"a{name}"))
    assert inspect.iscoroutinefunction(getattr(voyageai.AsyncClient, f"a{name}"))


def test_the_package_says_that_it_is_typed():
    """Otherwise type checkers ignore all annotations."""
    from importlib.resources import files

    assert files("voyageai").joinpath("py.typed").is_file()
    assert files("voyageai_rest").joinpath("py.typed").is_file()


def test_no_fact_of_the_catalogue_is_written_in_the_overlay():
    """A new model, limit or price is one entry in the spec, not an edit here."""
    from pathlib import Path

    from voyageai_rest.catalogue import MODELS

    folder = Path(inspect.getfile(voyageai)).parent
    allowed = {("__init__.py", voyageai.VOYAGE_EMBED_DEFAULT_MODEL)}  # the official client's
    found = {
        (path.name, node.value)
        for path in folder.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value in MODELS
    }

    assert allowed == found


def test_results_become_json_like_the_official_ones():
    """Programs write vectors as lists of floats into databases and files."""
    from voyageai.object import EmbeddingsObject

    result = EmbeddingsObject()
    result.embeddings = [[0.5]]

    assert "[[0.5]]" == json.dumps(result.embeddings)


def test_every_documented_module_is_reached_by_its_name():
    """Programs that only `import voyageai` write such names in annotations."""
    script = (
        "import voyageai\n"
        "print(voyageai.batches.Progress.__name__, voyageai.files.Files.__name__,"
        " voyageai.batches.Batches.__name__)"
    )

    assert "Progress Files Batches" == run(script)
