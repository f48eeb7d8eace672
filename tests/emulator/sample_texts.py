"""Strategies for texts of many kinds."""

from __future__ import annotations

from hypothesis import strategies as st

PIECES = (
    *(
        "the",
        "lighthouse",
        "keeper's",
        "lamp",
        "isn't",
        "lit.",
        "Don\u2019t",
        "wait!",
        "12345",
        "km,",
    ),
    *("at", "06:30", "(they", "said)", "f(x)=y[0]+__init__", "a.b--c", "//", "'", "\u2019"),
    *(
        "na\u00efve",
        "e\u0301",
        "Größe",
        "東京は日本の首都です。",
        "한국어",
        "привет",
        "नमस्ते",
        "ภาษาไทย",
    ),
    *("🚀", "👩\u200d👩\u200d👧", "\x00", "\x1f"),
)
SPACES = (
    *(" ", " ", " ", "  ", "\n", "\n\n", " \n \n  ", "\t", "\r\n", "\u00a0", "\u3000"),
    *("\u2028", "\x1c", ""),
)

pieced = st.lists(st.tuples(st.sampled_from(PIECES), st.sampled_from(SPACES)), max_size=40).map(
    lambda pairs: "".join(part for pair in pairs for part in pair)
)
"""Words, symbols and white space of many kinds, in any order."""

texts = st.text(max_size=80) | st.text(st.characters(max_codepoint=127), max_size=80) | pieced
"""Any text, with likely texts more often."""
