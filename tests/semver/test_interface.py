"""What a change in the code means for users of the package."""

from __future__ import annotations

import shutil

import griffe
import pytest

from generator.semver.interface import HANDLED_HERE, compare_interfaces, rules

from .repository import CLIENT

EMULATOR = "overlay/voyageai_emulator/server.py"
CLASS = "class Client(Base):\n"
SEARCH = "text: str, limit: int | None = None"
# Name, file, old and new text, and the expected changes.
CHANGES = [
    ("method added", CLIENT, CLASS, f"{CLASS}    def read(self) -> None: ...\n", [("minor", "`voyageai.Client.read` is new")]),
    ("method removed", CLIENT, "def search", "def _search", [("major", "`voyageai.Client.search` is gone")]),
    ("parameter added", CLIENT, SEARCH, f"{SEARCH}, page: int = 0", [("minor", "`voyageai.Client.search` has the new optional parameter `page`")]),
    ("required parameter", CLIENT, SEARCH, f"{SEARCH}, *, page: int", [("major", "`voyageai.Client.search` has the new required parameter `page`")]),
    ("parameter removed", CLIENT, SEARCH, "text: str", [("major", "`voyageai.Client.search` no longer accepts `limit`")]),
    ("parameter required", CLIENT, ", retries: int = 0", ", retries: int", [("major", "`retries` of `voyageai.Client` is now required")]),
    ("parameter by name", CLIENT, SEARCH, "text: str, *, limit: int | None = None", [("major", "`limit` of `voyageai.Client.search` is now keyword-only, was positional or keyword")]),
    ("default", CLIENT, "retries: int = 0", "retries: int = 2", [("major", "the default of `retries` of `voyageai.Client` changed from 0 to 2")]),
    ("type of a parameter", CLIENT, "text: str", "text: str | bytes", [("patch", "the type of `text` of `voyageai.Client.search` changed from str to str | bytes")]),
    ("type of a result", CLIENT, "-> list[str]", "-> tuple[str]", [("patch", "the type of `voyageai.Client.search` changed from list[str] to tuple[str]")]),
    ("no type any more", CLIENT, " -> list[str]", "", [("major", "`voyageai.Client.search` now returns None instead of list[str]"), ("patch", "the type of `voyageai.Client.search` changed from list[str] to None")]),
    ("base class removed", "overlay/voyageai/error.py", "class Error(Exception)", "class Error", [("major", "`voyageai.error.Error` is no longer a subclass of `Exception`")]),
    ("another base class", "overlay/voyageai/error.py", "class Refused(Error)", "class Refused(Exception)", [("major", "`voyageai.error.Refused.status` is gone"), ("major", "`voyageai.error.Refused` is no longer a subclass of `voyageai.error.Error`")]),
    ("a base class that is nobody's", "overlay/voyageai/_base.py", "class Base:", "class Basis:\n    pass\n\nclass Base(Basis):", []),
    ("default of a field", "overlay/voyageai/options.py", "default=2", "default=3", [("major", "the default of `tries` of `voyageai.options.Options` changed from 2 to 3")]),
    ("no default of a field", "overlay/voyageai/options.py", " = True", "", [("major", "`fast` of `voyageai.options.Options` is now required")]),
    ("what a field may be", "overlay/voyageai/options.py", "ge(0)", "ge(1)", [("patch", "`voyageai.options.Options.tries` changed from field(default=2, validator=ge(0)) to field(default=2, validator=ge(1))")]),
    ("default of a field that only parsers fill", "generated/voyageai_rest/models.py", "= None", "= 0", [("patch", "`voyageai_rest.models.Search.limit` changed from None to 0")]),
    ("extra removed", "pyproject.toml", 'numpy = ["numpy"]', "", [("major", "the extra `numpy` is gone")]),
    ("command added", "pyproject.toml", "[tool.mypy]", '[project.scripts]\nvoyage = "voyageai:main"\n\n[tool.mypy]', [("minor", "the command `voyage` is new")]),
    ("interpreter", "pyproject.toml", ">=3.11", ">=3.12", [("minor", "the supported Python versions changed from >=3.11 to >=3.12")]),
    ("inherited method removed", "overlay/voyageai/_base.py", "def close", "def _close", [("major", "`voyageai.Client.close` is gone")]),
    ("inherited method added", "overlay/voyageai/_base.py", "class Base:\n", "class Base:\n    def open(self) -> None: ...\n", [("minor", "`voyageai.Client.open` is new")]),
    ("inherited method changed", "overlay/voyageai/_base.py", "(self)", "(self, at: int)", [("major", "`voyageai.Client.close` has the new required parameter `at`")]),
    ("bound here no longer", "overlay/voyageai/__init__.py", "from .media.urls import Url\n", "", [("major", "`voyageai.Url` is gone")]),
    ("inherited by several", "overlay/voyageai/error.py", "    status:", "    code: str = ''\n    status:", [("minor", "`voyageai.error.Error.code` is new")]),
    ("attribute", "overlay/voyageai/error.py", "None = None", "None = 400", [("patch", "`voyageai.error.Error.status` changed from None to 400")]),
    ("another kind", "overlay/voyageai/error.py", "class Refused(Error):\n    pass", "Refused = 1", [("major", "`voyageai.error.Refused` changed its kind from class to attribute")]),
    ("module", "overlay/voyageai/chunking.py", "", "def split() -> None: ...\n", [("minor", "`voyageai.chunking` is new")]),
    ("in a room of others", "overlay/voyageai/transport.py", "def send", "def post", []),
    ("bound elsewhere", "overlay/voyageai/media/urls.py", "url: str", "url: str, size: int", [("major", "`voyageai.Url` has the new required parameter `size`")]),
    ("export of the emulator removed", "overlay/voyageai_emulator/__init__.py", "Server, running", "running", [("major", "`voyageai_emulator.Server` is gone")]),
    ("argument of the emulator", EMULATOR, "running(port: int = 0)", "running(port: int)", [("major", "`port` of `voyageai_emulator.running` is now required")]),
    ("in a module of the emulator", EMULATOR, "def listen", "def accept", []),
    ("the version", "overlay/voyageai/version.py", "0.6.0", "0.7.0", []),
    ("in words", CLIENT, CLASS, f'{CLASS}    """Searches."""\n', []),
    ("every object has it", CLIENT, CLASS, f"{CLASS}    def __repr__(self) -> str: ...\n", []),
    ("a variable for types", CLIENT, CLASS, f"T = TypeVar('T')\n\n{CLASS}", []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [change[1:] for change in CHANGES],
    ids=[change[0] for change in CHANGES],
)
def test_a_change_is_reported_once_as_users_see_it(file, old, new, expected, repository):
    """The next version number and the changelog draft are derived from these sentences."""
    if old:
        repository.replace(file, old, new)
    else:
        repository.write(file, new)
    assert expected == repository.reported()


def test_a_package_that_the_last_release_did_not_have_is_new(repository):
    """The report has one line for a new package instead of one for each of its names."""
    repository.write("overlay/voyageai_emulator/__init__.py", "")
    shutil.move(repository.root / "overlay/voyageai_emulator", repository.root / "elsewhere")
    assert [("major", "`voyageai_emulator` is gone")] == repository.reported()

    old, new = repository.root / "overlay", repository.root
    shutil.move(repository.root / "elsewhere", repository.root / "voyageai_emulator")
    (item,) = compare_interfaces("voyageai_emulator", old, new)
    assert "`voyageai_emulator` is new" == item.sentence


def test_every_kind_of_breakage_has_a_sentence():
    """A later griffe may report kinds that have no sentence yet."""
    missing = {kind.name for kind in griffe.BreakageKind} - rules().keys()
    assert set(HANDLED_HERE) == missing
