from typing import Literal

CompletionWindow = Literal["12h"]
"""Time after which a job expires if it is not completed."""

COMPLETION_WINDOW_VALUES: tuple[CompletionWindow, ...] = ("12h",)
