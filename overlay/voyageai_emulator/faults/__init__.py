"""Faults on purpose: what a network and an overloaded server do to a client.

A fault has a name and parameters, written ``NAME; key=value; key=value``. Values are
percent-encoded where they hold a ``;`` or a ``%``. It happens to

- the next requests, or a share of all: `FaultPlan`, from Python, the admin route or the start,
- the request that names it in the header ``x-emulator-fault: NAME; key=value``,
- all requests below a base URL that names it: ``http://host:port/faults/NAME;key=value/v1``.

A request that names its fault takes none from the plan. `FAULTS` lists them all.
"""

from __future__ import annotations

# A fault is registered when its module is imported.
from . import alterations as alterations
from . import kinds as kinds
from .fault import FAULTS, Fault, FaultKind
from .plan import FaultPlan

__all__ = ["FAULTS", "Fault", "FaultKind", "FaultPlan"]
