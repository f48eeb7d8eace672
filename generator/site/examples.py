"""Reads the examples of docstrings as examples."""

import re
from typing import Any

import griffe

HEADING = re.compile(r"^( *)Example:$", re.MULTILINE)


class Examples(griffe.Extension):
    """Gives `Example:`, as docstrings here say, the meaning of Google's `Examples:`."""

    def on_object(self, *, obj: Any, **_: Any) -> None:
        """Rename the heading of an object's docstring."""
        if obj.docstring is not None:
            obj.docstring.value = HEADING.sub(r"\1Examples:", obj.docstring.value)
