"""The emulator's admin routes, which show what it received and control what it does.

They need the emulator's token in the header ``x-emulator-token``, not an API key. They are not
recorded, and neither faults nor rate limits apply to them. Bodies are JSON of at most 64 KiB. An
error has a body ``{"detail": "..."}``. A request that addresses this server by a public name is
answered with 421, for the reason that `middleware` gives.

- ``GET /_emulator/state``: version, uptime, clock, connections, settings, operations, models by
  endpoint, and the values that some fields of requests may have.
- ``GET /_emulator/requests``: the recorded requests as lines of JSON, in order of arrival. With
  ``?operation=ID`` or ``?after=NUMBER`` only some, with ``?limit=COUNT`` the latest of them, with
  ``?brief=true`` without headers and body but with model and input_type. ``DELETE`` removes them.
- ``GET /_emulator/requests/NUMBER``: one recorded request.
- ``GET /_emulator/faults``: all kinds of faults, and the plan.
  ``POST`` an entry to add to the plan, ``PUT`` a list of entries to replace it, ``DELETE`` to
  empty it. An entry is ``{"fault": "status; status=503", "times": 2}``, or with ``"rate": 0.1``.
- ``GET /_emulator/usage``: requests and tokens of the last minute, by API key and model.
- ``GET /_emulator/limits``: the usage tier whose rate limits apply, and all tiers.
  ``PUT {"tier": "free"}``, or null for none. ``POST {"model": "NAME", "rpm": 3, "tpm": 10}`` to
  set the limits of a model, or of all without a name; ``DELETE`` removes those.
- ``GET /_emulator/latency``: the latency of responses. ``PUT {"latency": "0.2"}``.
- ``GET /_emulator/clock``: the emulator's time. ``POST {"advance": 3600}`` advances it.
- ``GET /_emulator/batches``: the batch jobs of all API keys, and the settings of `Batches`.
  ``POST`` to ``/_emulator/batches/METHOD`` calls a method of `Batches` with the body as its
  arguments: ``hold`` ``{"status": "in_progress"}``, ``release`` ``{}``,
  ``fail`` ``{"custom_id": "line-7"}``, ``stop_failing`` ``{}``, ``pace``
  ``{"seconds_per_line": 0.1}`` or ``limit`` ``{"max_inputs": 3}``.
- ``GET /_emulator/files``: the files of all API keys.
- ``GET /_emulator/key``: the fingerprint of the API key in the header ``authorization``, by which
  requests, usage, batch jobs and files name their owner.
- ``GET /``: the page that shows all this, and ``GET /_emulator/page/FILE`` its files. They contain
  no data, and need no token.
"""

from __future__ import annotations

from .routes import ADMIN, create_admin

__all__ = ["ADMIN", "create_admin"]
