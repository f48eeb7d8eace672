"""Make griffe read `Example:` sections of docstrings."""

import re
from typing import Any

import griffe

HEADING = re.compile(r"^( *)Example:$", re.MULTILINE)


class Examples(griffe.Extension):
    """Extension that renames `Example:` sections to Google's `Examples:`."""

    def on_object(self, *, obj: Any, **_: Any) -> None:
        """Rename the section in an object's docstring."""
        if obj.docstring is not None:
            obj.docstring.value = HEADING.sub(r"\1Examples:", obj.docstring.value)
