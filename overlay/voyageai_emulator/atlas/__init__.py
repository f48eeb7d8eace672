"""MongoDB Atlas's API for model API keys and rate limits.

A key that is created here works at the model endpoints of the same emulator, within the rate limits
of its project, and is refused there as soon as it is deleted. Keys and limits are lost when the
emulator stops, unless it has a state file, which stores a hash of each key instead of its secret.

The operations and their bodies are documented, and so is that a project's limits may not exceed the
organization's. These are guesses:

- There is one organization. Every well-formed id is one of its projects, or the organization.
- Each model is a group of its own, named after it (``voyage_4_large``); the only real name known is
  ``embed_large``. The organization's limits of a group are the catalogue's.
- The limits of a group apply to all keys of a project with the same cloud and geography together.
- Geographies are ``ANY`` and those of the API's hosts, such as ``US`` and ``EU``, in upper or lower
  case.
- A key's ``endpoint`` is the real host if the request is addressed to Atlas's own host. Otherwise
  it is the host of the request, so that a client with this key finds the emulator.
- Calls of the administration itself are not limited: ``RateLimit-Limit`` is always 100, and
  ``RateLimit-Remaining`` 99.
- The error codes, except those that the contract has examples of.
- Credentials permit everything. Any are accepted, unless the settings name the valid ones. Only
  then is the HTTP digest computed; otherwise only its format and its nonce are checked.
"""

from __future__ import annotations

from .accounts import Accounts, Quota
from .credentials import Credentials
from .endpoints import AtlasEndpoints

__all__ = ["Accounts", "AtlasEndpoints", "Credentials", "Quota"]
