"""Injected faults, to test how a client handles those of networks and overloaded servers.

A fault has a name and parameters, written ``NAME; key=value; key=value``. Values that contain a
``;`` or a ``%`` are percent-encoded. A fault happens to

- the next requests, or a share of all, as planned in `FaultPlan`: from Python, by the admin route,
  or at the start,
- a request with the header ``x-emulator-fault: NAME; key=value``,
- all requests to a base URL that names it: ``http://host:port/faults/NAME;key=value/v1``.

A request that names a fault does not use the plan. `FAULTS` has all faults.
"""

from __future__ import annotations

# Importing these modules registers their faults.
from . import body_faults as body_faults
from . import wire_faults as wire_faults
from .fault import FAULTS, Fault, FaultKind
from .plan import FaultPlan

__all__ = ["FAULTS", "Fault", "FaultKind", "FaultPlan"]
