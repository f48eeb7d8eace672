"""The administration of model API keys and rate limits, as MongoDB Atlas has it.

A key that is created here opens the model endpoints of the same emulator, within the rate limits of
its project, and is refused there as soon as it is deleted. Keys and limits end with the emulator,
unless it has a state file, which keeps a hash of each key instead of its secret.

Documented are the operations, their bodies, and that a project's limits may not exceed the
organization's. These are guesses:

- There is one organization, and every well-formed id is one of its projects, or the organization.
- Each model is a group of its own, named after it (``voyage_4_large``); of real names only
  ``embed_large`` is known. Its limits in the organization are the catalogue's.
- Limits of a group hold for all keys of a project with the same cloud and geography together.
- Geographies are ``ANY`` and those of the API's hosts, in any case, such as ``US`` and ``EU``.
- A key's ``endpoint`` is the real host where a request is addressed to Atlas's own, and else the
  host that the request is addressed to, so that a client of the key finds this emulator.
- Calls of the administration itself are not limited: ``RateLimit-Limit`` and its sibling always say
  that 99 of 100 are left.
- Codes of refusals other than those the contract has examples of.
- Who has credentials may do everything; any are accepted unless the settings name some. Then the
  digest is computed, else only its form and its nonce are checked.
"""

from __future__ import annotations

from .accounts import Accounts, Quota
from .credentials import Credentials
from .endpoints import AtlasEndpoints

__all__ = ["Accounts", "AtlasEndpoints", "Credentials", "Quota"]
