"""Keys and rate limits of projects."""

from __future__ import annotations

import secrets
import string
import threading
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import attrs
from voyageai_admin_rest.models import ModelKey, ModelRateLimit
from voyageai_rest.operations import SERVERS

from ..recording import fingerprint
from ..store import StoredKey, StoredLimit
from .refusal import BAD_REQUEST, NOT_FOUND, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from voyageai_rest.catalogue import Model
    from voyageai_rest.operations import Server

    from ..store import AccountStore

__all__ = ["Accounts", "Quota", "Scope"]

ANY = "ANY"
GENERAL: Server = next(server for server in SERVERS if server.platform == "atlas")
"""The host of keys without a geography."""
HOSTS: Mapping[str, Server] = {
    ANY: GENERAL,
    **{server.name.upper(): server for server in SERVERS if server.platform == "geography"},
}
"""Hosts by the geography of their keys."""
LETTERS = string.ascii_letters + string.digits
SECRET_LENGTH = 42
"""Characters of a key after its prefix."""


class Scope(NamedTuple):
    """Project and geography that a key, or a limit, belongs to."""

    project: str
    geography: str


class Quota(NamedTuple):
    """The limits per minute of a key's requests to a model."""

    owner: str
    rpm: int
    tpm: int


@attrs.frozen
class _Stored:
    """A key without its secret and its host."""

    shown: ModelKey
    scope: Scope

    @property
    def server(self) -> Server:
        """The host of the API that accepts the key."""
        return HOSTS[self.scope.geography]


class Accounts:
    """Keys and rate limits of all projects. Safe to share.

    Args:
        models: Models by name.
        clock: Clock, in seconds since 1970.
        store: Stores them for the next emulator; None to keep them in memory only.
    """

    def __init__(
        self,
        models: Mapping[str, Model],
        clock: Callable[[], float],
        store: AccountStore | None = None,
    ) -> None:
        self._clock = clock
        self._store = store
        self._lock = threading.Lock()
        self._models = models
        self._groups = {
            name.replace("-", "_").replace(".", "_"): name
            for name, model in models.items()
            if model.rpm and model.tpm and "atlas" in model.platforms
        }
        self._keys: dict[str, _Stored] = {}
        self._by_fingerprint: dict[str, str | None] = {}  # None: the key is deleted
        self._limits: dict[tuple[Scope, str], tuple[int, int]] = {}
        if store is not None:
            self._read(store)

    def _read(self, store: AccountStore) -> None:
        for key in store.all_keys():
            self._by_fingerprint[key.fingerprint] = None if key.shown is None else key.id
            if key.shown is not None:
                shown = ModelKey.from_dict(key.shown)
                self._keys[key.id] = _Stored(
                    shown, Scope(str(shown.group_id), str(shown.geography))
                )
        for limit in store.all_limits():
            scope = Scope(limit.project, limit.geography)
            self._limits[scope, limit.group] = limit.rpm, limit.tpm

    # Used by the model endpoints

    def is_deleted(self, key: str) -> bool:
        """Return whether a key was created here and has been deleted."""
        return self._by_fingerprint.get(fingerprint(key), "") is None

    def use(self, key: str) -> bool:
        """Return whether a key was created here and still exists, and set its time of last use."""
        with self._lock:
            id = self._by_fingerprint.get(fingerprint(key))
            if id is None:
                return False
            self._change(id, last_used_at=self._now())
            return True

    def quota(self, owner: str, model: str) -> Quota | None:
        """Return the limits of a key's requests to a model; None if the key was not created here.

        Args:
            owner: `fingerprint` of the key.
            model: Name of the model.
        """
        with self._lock:
            id = self._by_fingerprint.get(owner)
            group = next((g for g, name in self._groups.items() if name == model), None)
            if id is None or group is None:
                return None
            scope = self._keys[id].scope
            return Quota(f"{scope.project}/{scope.geography}", *self._limit(scope, group))

    # Used by the administration

    def keys(self, project: str | None, host: str) -> list[ModelKey]:
        """Return the keys of a project, or of all if it is None, oldest first."""
        with self._lock:
            return [
                _with_endpoint(stored, host)
                for stored in self._keys.values()
                if project in (None, stored.scope.project)
            ]

    def key(self, project: str | None, id: str, host: str) -> ModelKey:
        """Return a key of a project, or of any project if it is None.

        Raises:
            Refusal: The key does not exist.
        """
        with self._lock:
            return _with_endpoint(self._stored(project, id), host)

    def create(self, project: str, name: str, cloud: str, geography: str, host: str) -> ModelKey:
        """Create a key, and return it with its secret.

        Raises:
            Refusal: The name is taken, or the cloud or geography is unknown.
        """
        where = _geography(cloud, geography, HTTPStatus.BAD_REQUEST, BAD_REQUEST)
        server = HOSTS[where]
        with self._lock:
            self._check_name(project, name)
            random = "".join(secrets.choice(LETTERS) for _ in range(SECRET_LENGTH))
            secret = f"{server.key_prefix}{random}"
            id = secrets.token_hex(12)
            shown = ModelKey(
                api_key_id=id,
                name=name,
                group_id=project,
                cloud=ANY,
                geography=where,
                masked_secret=f"{server.key_prefix}****{secret[-4:]}",
                status="ACTIVE",
                created_at=self._now(),
                created_by="emulator",
            )
            mark = fingerprint(secret)
            if self._store is not None:
                self._store.add_key(StoredKey(mark, id, shown.to_dict()))
            self._keys[id] = _Stored(shown, Scope(project, where))
            self._by_fingerprint[mark] = id
            return attrs.evolve(_with_endpoint(self._keys[id], host), secret=secret)

    def rename(self, project: str, id: str, name: str, host: str) -> ModelKey:
        """Rename a key.

        Raises:
            Refusal: The key does not exist, or the name is taken.
        """
        with self._lock:
            stored = self._stored(project, id)
            if stored.shown.name != name:
                self._check_name(project, name)
                self._change(id, name=name)
            return _with_endpoint(self._keys[id], host)

    def delete(self, project: str, id: str) -> None:
        """Delete a key, so that it is refused from now on.

        Raises:
            Refusal: The key does not exist.
        """
        with self._lock:
            self._stored(project, id)
            if self._store is not None:
                self._store.change_key(id, None)
            del self._keys[id]
            for known, owner in self._by_fingerprint.items():
                if owner == id:
                    self._by_fingerprint[known] = None

    def limits(self, project: str | None, host: str) -> list[ModelRateLimit]:
        """Return all limits of a project, or of the organization if it is None."""
        return [
            self.limit(project, ANY, geography, group, host)
            for geography, server in HOSTS.items()
            for group, name in self._groups.items()
            if server.platform in self._models[name].platforms
        ]

    def limit(
        self, project: str | None, cloud: str, geography: str, group: str, host: str
    ) -> ModelRateLimit:
        """Return the limits of a group in a project, or in the organization if it is None.

        Raises:
            Refusal: The group, cloud or geography is unknown.
        """
        where = self._check_group(cloud, geography, group)
        with self._lock:
            own = self._of_organization(group)
            rpm, tpm = own if project is None else self._limit(Scope(project, where), group)
        return ModelRateLimit(
            cloud=ANY,
            geography=where,
            endpoint=_endpoint(HOSTS[where], host),
            model_group_name=group,
            model_names=[self._groups[group]],
            requests_per_minute_limit=rpm,
            tokens_per_minute_limit=tpm,
        )

    def set_limit(
        self, project: str, cloud: str, geography: str, group: str, limits: tuple[int, int]
    ) -> None:
        """Set requests and tokens per minute of a group in a project.

        Raises:
            Refusal: The group, cloud or geography is unknown, or a limit is above the
                organization's.
        """
        where = self._check_group(cloud, geography, group)
        for value, maximum, unit in zip(
            limits, self._of_organization(group), ("requests", "tokens"), strict=True
        ):
            if value > maximum:
                raise Refusal(
                    HTTPStatus.BAD_REQUEST,
                    BAD_REQUEST,
                    f"The limit of {value} {unit} per minute exceeds the organization's limit of "
                    f"{maximum}.",
                )
        with self._lock:
            if self._store is not None:
                self._store.set_limit(StoredLimit(project, where, group, *limits))
            self._limits[Scope(project, where), group] = limits

    def reset(
        self, project: str, cloud: str = ANY, geography: str = ANY, group: str | None = None
    ) -> None:
        """Remove the limits that were set for a group in a project, or for all its groups.

        Raises:
            Refusal: The group, cloud or geography is unknown.
        """
        if group is not None:
            where = self._check_group(cloud, geography, group)
            with self._lock:
                if self._store is not None:
                    self._store.drop_limits(project, where, group)
                self._limits.pop((Scope(project, where), group), None)
            return
        with self._lock:
            if self._store is not None:
                self._store.drop_limits(project, None, None)
            kept = {key: value for key, value in self._limits.items() if key[0].project != project}
            self._limits = kept

    def _change(self, id: str, **changes: str) -> None:
        changed = attrs.evolve(self._keys[id].shown, **changes)  # type: ignore[arg-type]  # fields that are texts
        if self._store is not None:
            self._store.change_key(id, changed.to_dict())
        self._keys[id] = attrs.evolve(self._keys[id], shown=changed)

    def _stored(self, project: str | None, id: str) -> _Stored:
        stored = self._keys.get(id)
        if stored is None or project not in (None, stored.scope.project):
            raise Refusal(HTTPStatus.NOT_FOUND, NOT_FOUND, f"There is no key with the id {id}.")
        return stored

    def _check_name(self, project: str, name: str) -> None:
        if any(
            stored.scope.project == project and stored.shown.name == name
            for stored in self._keys.values()
        ):
            detail = f"The project already has a key named {name}."
            raise Refusal(HTTPStatus.BAD_REQUEST, BAD_REQUEST, detail)

    def _check_group(self, cloud: str, geography: str, group: str) -> str:
        """Return the geography in upper case.

        Raises:
            Refusal: The group, cloud or geography is unknown.
        """
        where = _geography(cloud, geography, HTTPStatus.NOT_FOUND, NOT_FOUND)
        if group not in self._groups:
            detail = f"There is no model group named {group}."
            raise Refusal(HTTPStatus.NOT_FOUND, NOT_FOUND, detail)
        return where

    def _of_organization(self, group: str) -> tuple[int, int]:
        model = self._models[self._groups[group]]
        return model.rpm or 0, model.tpm or 0

    def _limit(self, scope: Scope, group: str) -> tuple[int, int]:
        return self._limits.get((scope, group)) or self._of_organization(group)

    def _now(self) -> str:
        return str(datetime.fromtimestamp(self._clock(), UTC))


def _geography(cloud: str, geography: str, status: HTTPStatus, code: str) -> str:
    if cloud.upper() != ANY:
        raise Refusal(status, code, f"There is no cloud {cloud}; the only one is {ANY}.")
    if geography.upper() not in HOSTS:
        known = ", ".join(HOSTS)
        raise Refusal(status, code, f"There is no geography {geography}; they are {known}.")
    return geography.upper()


def _with_endpoint(stored: _Stored, host: str) -> ModelKey:
    return attrs.evolve(stored.shown, endpoint=_endpoint(stored.server, host))


def _endpoint(server: Server, host: str) -> str:
    return host or urlsplit(server.url).netloc
