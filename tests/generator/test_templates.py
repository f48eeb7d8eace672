"""`templates/` holds only templates that must differ from the tool's."""

from __future__ import annotations

from pathlib import Path

import jinja2
import openapi_python_client
import pytest

from generator import build, paths

STOCK = Path(openapi_python_client.__file__).parent / "templates"
OURS = sorted(paths.TEMPLATES.rglob("*.jinja"))
OVERRIDES = [
    path.relative_to(paths.TEMPLATES)
    for path in OURS
    if (STOCK / path.relative_to(paths.TEMPLATES)).exists()
]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> set[Path]:
    """Return the templates that a run loads from our folder."""
    found: set[Path] = set()
    original = jinja2.FileSystemLoader.get_source

    def recorded(self, environment, template):
        source = original(self, environment, template)
        found.add(Path(source[1]).resolve())
        return source

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jinja2.FileSystemLoader, "get_source", recorded)
        target = tmp_path_factory.mktemp("loaded")
        build.build(target)
    return found


def test_there_are_overrides() -> None:
    """The tests below would pass without checking anything if there were none."""
    assert {"client.py.jinja", "model.py.jinja", "types.py.jinja"} <= set(map(str, OVERRIDES))


@pytest.mark.parametrize("name", OVERRIDES, ids=str)
def test_an_override_differs_from_the_stock_template(name: Path) -> None:
    """An identical copy would hide what the tool's next version changes in its template."""
    ours, stock = ((folder / name).read_text("utf-8") for folder in (paths.TEMPLATES, STOCK))
    assert ours.split() != stock.split()


def test_every_template_is_looked_up(loaded: set[Path]) -> None:
    """A misnamed template has no effect, although it looks like it does."""
    assert set(OURS) == {path for path in loaded if path.is_relative_to(paths.TEMPLATES)}


def test_the_stock_templates_of_python_are_all_overridden_or_unused(
    loaded: set[Path], tmp_path: Path
) -> None:
    """Every line of the generated package comes from a template that we maintain."""
    overridden = {path.name for path in loaded}
    python = {path.name for path in STOCK.glob("*.py.jinja")}
    # Not used: a package with metadata is not generated, and Literal types replace enum classes.
    unused = {
        "setup.py.jinja",
        "str_enum.py.jinja",
        "int_enum.py.jinja",
        "endpoint_macros.py.jinja",
    }
    assert python - unused == python & overridden
