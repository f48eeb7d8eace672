"""A former name of the package `voyageai_emulator`."""

from voyageai_emulator import (
    Emulator,
    Fault,
    FaultPlan,
    InProcessEmulator,
    in_process,
    running,
)

__all__ = ["Emulator", "Fault", "FaultPlan", "InProcessEmulator", "in_process", "running"]
