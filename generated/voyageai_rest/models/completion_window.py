from typing import Literal

CompletionWindow = Literal["12h"]
"""Time within which a job is done or expires."""

COMPLETION_WINDOW_VALUES: tuple[CompletionWindow, ...] = ("12h",)
