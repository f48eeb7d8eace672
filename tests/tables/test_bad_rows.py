"""Of two thousand rows twenty are bad: the others are embedded, and these have their reasons."""

from __future__ import annotations

from pathlib import Path

from voyageai_emulator import Emulator

from .bad_rows import check_bad_rows


def test_bad_rows_of_five_kinds_stop_no_other_and_are_sent_again_alone(
    emulator: Emulator, tmp_path: Path
) -> None:
    """Null, empty, too long, no Unicode, and refused by the server for reasons of its own."""
    check_bad_rows(emulator, tmp_path, 2000)
