"""The corpus of the example: docstrings of the standard library."""

from collections import Counter
from pathlib import Path

import pytest
from corpus import LIBRARY, parsed, place
from corpus.docstring import SHORTEST, Docstring

TOYS = {
    "toys/__init__.py": '''
"""Toys of every kind, for play."""
from ._wood import Train, whistle
from .blocks import *
''',
    "toys/_wood.py": '''
class Train:
    """A train made of wood."""
    def __init__(self, cars=3):
        """Couple the given number of cars."""
    def pull(self, by: int = 1, *, gently=False) -> bool:
        """Pull the train along the floor."""
    @staticmethod
    def of(name):
        """Make a train with a name on it."""
    @property
    def length(self):
        """How many cars there are in all."""
    def _hidden(self):
        """This is nobody's business at all."""
def whistle():
    "Toot."
def carve():
    """Carve something, out of public sight."""
''',
    "toys/blocks.py": '''
__all__ = ("stack",)
try:
    import anything
except ImportError:
    def stack(high):
        """Put one block upon the other."""
def topple():
    """Let all of the blocks fall down."""
''',
    "toys/swords.py": '''
"""Swords for play."""
import warnings
warnings._deprecated(__name__, remove=(3, 13))
def fence():
    """Cross swords with somebody."""
''',
    "toys/guns/__init__.py": """
import warnings
warnings.warn("Guns are no toys any more.", DeprecationWarning, stacklevel=2)
""",
    "toys/guns/water.py": '''
def splash():
    """Make somebody wet from afar."""
''',
    "toys/marbles.py": '''
import warnings
def roll():
    """Roll a marble over the floor."""
    warnings.warn("Take a ball.", DeprecationWarning)
''',
    "toys/test/test_toys.py": '''
"""Tests of the toys, not for searching."""
''',
}


@pytest.fixture
def toys(tmp_path: Path) -> dict[str, Docstring]:
    """Return the docstrings of a small library by name."""
    for name, source in TOYS.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(source, encoding="utf-8")
    return {entry.name: entry for entry in parsed.docstrings(tmp_path)}


def test_names_are_public_and_where_one_imports_them(toys: dict[str, Docstring]) -> None:
    """A result is useful only if a reader can import the name that it shows."""
    assert {
        "toys",
        "toys.Train",
        "toys.Train.pull",
        "toys.Train.of",
        "toys.Train.length",
        "toys.stack",
        "toys.blocks.topple",
        "toys.marbles.roll",
    } == set(toys)


def test_deprecated_modules_are_left_out(toys: dict[str, Docstring]) -> None:
    """Readers should not start to use them; a deprecated function does not exclude its module."""
    assert "toys.marbles.roll" in toys
    assert [] == [name for name in toys if name.startswith(("toys.swords", "toys.guns"))]


@pytest.mark.parametrize("name", ["asyncore", "cgi", "distutils", "imp", "tkinter.tix", "uu"])
def test_the_corpus_has_no_deprecated_module(name: str, corpus: list[Docstring]) -> None:
    """Python 3.11 has these modules, and a later version does not."""
    assert [] == [entry.name for entry in corpus if f"{entry.name}.".startswith(f"{name}.")]


@pytest.mark.parametrize(
    ("name", "file", "line"),
    [
        ("toys", "toys/__init__.py", 2),
        ("toys.Train", "toys/_wood.py", 3),
        ("toys.Train.pull", "toys/_wood.py", 7),
        ("toys.stack", "toys/blocks.py", 7),
    ],
)
def test_a_docstring_knows_where_it_stands(
    toys: dict[str, Docstring], name: str, file: str, line: int
) -> None:
    """The file that defines a name may differ from the module that exports it."""
    assert (file, line) == (toys[name].file, toys[name].line)


def test_a_line_is_placed_where_it_stands(corpus: list[Docstring]) -> None:
    """A line number that is slightly off sends the reader to the wrong code."""
    placed = wrong = 0
    for entry in corpus[::20]:
        line = entry.matching("read the data of a file")
        file, _, number = place(entry, line).rpartition(":")
        if file:
            source = (LIBRARY / file).read_text(encoding="utf-8", errors="replace").splitlines()
            placed += 1
            wrong += line not in source[int(number) - 1]
    assert placed > 100
    assert wrong <= 2  # a docstring with escapes gets its first line


def test_what_is_in_c_has_no_place(corpus: list[Docstring]) -> None:
    """Code in C has no Python source line to show."""
    (gcd,) = [entry for entry in corpus if entry.name == "math.gcd"]
    assert "not in a Python source file" == place(gcd, gcd.matching("greatest divisor"))


@pytest.mark.parametrize(
    ("question", "line"),
    [
        ("compressed files", "Compress the file of that name."),
        ("Which METHOD is fastest?", "method is how: fast, or small."),
        ("how is this for all?", "Make room."),
    ],
)
def test_the_line_that_matches_shares_most_words(question: str, line: str) -> None:
    """Stop words and endings do not count, and without a match the first line is shown."""
    doc = "shrink(name) -> None\n\nMake room.\n\nCompress the file of that name.\n"
    entry = Docstring("shrink", "", f"{doc}method is how: fast, or small.")
    assert line == entry.matching(question)


@pytest.mark.parametrize(
    ("name", "signature"),
    [
        ("toys", ""),
        ("toys.Train", "(cars=3)"),
        ("toys.Train.pull", "(by: int=1, *, gently=False) -> bool"),
        ("toys.Train.of", "(name)"),
        ("toys.Train.length", ""),
        ("toys.stack", "(high)"),
    ],
)
def test_signatures_are_as_one_calls(toys: dict[str, Docstring], name: str, signature: str) -> None:
    """`self` would add noise to the search, and a property has no parentheses."""
    assert signature == toys[name].signature


def test_a_class_says_how_it_is_made(toys: dict[str, Docstring]) -> None:
    """Many classes describe their purpose only in `__init__`."""
    assert "A train made of wood.\n\nCouple the given number of cars." == toys["toys.Train"].doc


def test_the_text_is_name_then_signature_then_docstring() -> None:
    """Exactly this text is embedded, and leaving out a part would reduce recall."""
    entry = Docstring("toys.stack", "(high)", "Put one block upon the other.")
    assert "toys.stack(high)\n\nPut one block upon the other." == entry.text


@pytest.mark.parametrize(
    ("doc", "summary"),
    [
        ("One line\nof two.\n\nMore.", "One line of two."),
        ("max(a, b) -> value\nmax(c) -> value\n\nThe biggest.", "The biggest."),
        (
            "zip(*all) --> Yield tuples until one ends.",
            "zip(*all) --> Yield tuples until one ends.",
        ),
        ("copy() -> list", "copy() -> list"),
    ],
)
def test_the_summary_is_the_first_sentence_worth_reading(doc: str, summary: str) -> None:
    """Docstrings from C often start with a signature, which the table has no space for."""
    assert summary == Docstring("name", "", doc).summary


def test_the_corpus_holds_thousands_of_texts(corpus: list[Docstring]) -> None:
    """The example promises the whole library, so a skipped folder must fail here."""
    assert len(corpus) > 4000


@pytest.mark.parametrize(
    "name",
    [
        "gzip.open",
        "asyncio.run",  # taken from a submodule
        "concurrent.futures.Executor.map",  # taken from a private submodule
        "datetime.datetime.strptime",  # from a private module in Python 3.12
        "pathlib.Path.glob",  # from a private submodule in Python 3.13
        "os.path.basename",  # from a module named after the system
        "print",
        "str.split",
        "math.gcd",  # in C
        "socket.socket.recv",  # inherited from a private class in C
        "random.randint",  # a bound method of a hidden instance
        "antigravity.geohash",  # in a module that must not be imported
    ],
)
def test_the_corpus_has_the_public_name(name: str, corpus: list[Docstring]) -> None:
    """Each of these names is exported in a different way."""
    assert name in {entry.name for entry in corpus}


def test_nothing_is_in_the_corpus_twice(corpus: list[Docstring]) -> None:
    """A duplicate would take two places in each result, and be billed twice."""
    names = Counter(entry.name for entry in corpus)
    docs = Counter(entry.doc for entry in corpus)
    assert [] == [name for name, times in (names + docs).items() if times > 1]


def test_nothing_in_the_corpus_is_private_or_too_short(corpus: list[Docstring]) -> None:
    """Private helpers and one-word docstrings would displace useful results."""
    assert [] == [
        entry.name for entry in corpus if "._" in f".{entry.name}" or len(entry.doc) < SHORTEST
    ]


def test_the_order_is_by_name(corpus: list[Docstring]) -> None:
    """Runs are comparable only if they send the same texts in the same order."""
    assert sorted(entry.name for entry in corpus) == [entry.name for entry in corpus]


def test_no_module_with_side_effects_is_imported(
    harvested: tuple[list[Docstring], set[str]],
) -> None:
    """`import antigravity` opens a browser, `this` prints a poem, `tkinter` may be missing."""
    _, modules = harvested
    assert set() == {"antigravity", "this", "tkinter", "turtle", "readline"} & modules
