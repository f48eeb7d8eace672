"""Model API keys and rate limits of projects in the database, without the keys' secrets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from .database import Database

__all__ = ["AccountStore", "StoredKey", "StoredLimit"]


class StoredKey(NamedTuple):
    """A key that was created, and may have been deleted."""

    fingerprint: str
    """Hash of the key itself."""
    id: str
    shown: dict[str, Any] | None
    """The key as lists show it, without its secret; None once it is deleted."""


class StoredLimit(NamedTuple):
    """The rate limits that were set for a group of models in a project and a geography."""

    project: str
    geography: str
    group: str
    rpm: int
    tpm: int


class AccountStore:
    """The keys and limits of the administration in the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all_keys(self) -> list[StoredKey]:
        """Return all keys, including deleted ones, oldest first."""
        rows = self._database.rows("SELECT fingerprint, id, shown FROM model_keys ORDER BY number")
        return [
            StoredKey(row["fingerprint"], row["id"], row["shown"] and json.loads(row["shown"]))
            for row in rows
        ]

    def add_key(self, key: StoredKey) -> None:
        """Add a key."""
        self._database.write(
            "INSERT INTO model_keys (fingerprint, id, shown) VALUES (?, ?, ?)",
            (key.fingerprint, key.id, json.dumps(key.shown)),
        )

    def change_key(self, id: str, shown: dict[str, Any] | None) -> None:
        """Change the fields of a key that lists show; None deletes the key."""
        self._database.write(
            "UPDATE model_keys SET shown = ? WHERE id = ?",
            (None if shown is None else json.dumps(shown), id),
        )

    def all_limits(self) -> list[StoredLimit]:
        """Return all limits that were set."""
        rows = self._database.rows(
            "SELECT project, geography, model_group, rpm, tpm FROM model_limits"
        )
        return [StoredLimit(*row) for row in rows]

    def set_limit(self, limit: StoredLimit) -> None:
        """Set limits, replacing those that exist."""
        self._database.write("REPLACE INTO model_limits VALUES (?, ?, ?, ?, ?)", limit)

    def drop_limits(self, project: str, geography: str | None, group: str | None) -> None:
        """Delete the limits of a group in a project and a geography; None means all of them."""
        self._database.write(
            "DELETE FROM model_limits WHERE project = ? AND (geography = ? OR ? IS NULL) "
            "AND (model_group = ? OR ? IS NULL)",
            (project, geography, geography, group, group),
        )
