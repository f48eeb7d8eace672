"""A file of 2,000 rows with 20 bad ones: the others are embedded, and each bad one has a reason."""

from __future__ import annotations

from pathlib import Path

from voyageai_emulator import Emulator

from .bad_rows import check_bad_rows


def test_bad_rows_of_five_kinds_stop_no_other_and_are_sent_again_alone(
    emulator: Emulator, tmp_path: Path
) -> None:
    """Rows are null, empty, too long, not Unicode, or refused by the server for other reasons."""
    check_bad_rows(emulator, tmp_path, 2000)
