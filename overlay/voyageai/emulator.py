"""The local server's former name: it is the package `voyageai_emulator`, of the same extra."""

from voyageai_emulator import (
    Emulator,
    Fault,
    FaultPlan,
    InProcessEmulator,
    in_process,
    running,
)

__all__ = ["Emulator", "Fault", "FaultPlan", "InProcessEmulator", "in_process", "running"]
