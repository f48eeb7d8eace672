"""Keys and limits set by administration calls take effect on the model endpoints."""

from __future__ import annotations

from typing import Any

import pytest
import voyageai
from voyageai import error
from voyageai_emulator import Emulator

from .conftest import ACCOUNT, ORGANIZATION, PROJECT

GROUP, MODEL = "voyage_4", "voyage-4"


def test_a_key_lives_from_its_creation_to_its_deletion(admin: Any, emulator: Emulator) -> None:
    """The whole documented life of a key works: it is created, used and deleted."""
    key = admin("keys.create", "search", project=PROJECT)
    assert ("search", PROJECT, "ANY", "ANY", "ACTIVE") == (
        key.name,
        key.project,
        key.cloud,
        key.geography,
        key.status,
    )
    assert key.secret.startswith("al-")
    assert key.masked_secret.endswith(key.secret[-4:])
    limit = admin("rate_limits.set", GROUP, project=PROJECT, rpm=2, tpm=1000)
    assert (GROUP, (MODEL,), 2, 1000) == (limit.group, limit.models, limit.rpm, limit.tpm)
    with key.client() as vo:
        for _ in range(2):
            vo.embed_query("Where are the keys?", model=MODEL)
        with pytest.raises(error.RateLimitError, match="2 requests per minute"):
            vo.embed_query("Where are the keys?", model=MODEL)
        read = admin("rate_limits.of", MODEL, project=PROJECT)
        assert voyageai.RateLimit(rpm=2, tpm=1000) == read
        used = admin("keys.get", key.id, project=PROJECT)
        assert used.last_used is not None
        assert used.secret is None
        admin("keys.delete", key.id, project=PROJECT)
        with pytest.raises(error.AuthenticationError):
            vo.embed_query("Where are the keys?", model=MODEL)
    assert [] == admin("keys.list", project=PROJECT)


def test_limits_that_were_read_keep_a_client_from_being_refused(
    admin: Any, emulator: Emulator
) -> None:
    """A client that is given the real limits waits instead of being refused."""
    key = admin("keys.create", "search", project=PROJECT)
    admin("rate_limits.set", GROUP, project=PROJECT, rpm=1, tpm=1000)
    limit = admin("rate_limits.of", MODEL, project=PROJECT)
    with key.client(rate_limit=limit, deadline=5) as vo:
        vo.embed_query("a", model=MODEL)
        with pytest.raises(error.DeadlineError, match="rate limit"):
            vo.embed_query("a", model=MODEL)
    statuses = [each.status for each in emulator.requests if each.operation == "createEmbeddings"]
    assert [200] == statuses


def test_limits_hold_for_all_keys_of_a_project_and_for_no_other(admin: Any) -> None:
    """The limit belongs to the project, whichever of its keys uses it."""
    admin("rate_limits.set", GROUP, project=PROJECT, rpm=1, tpm=1000)
    keys = [admin("keys.create", name, project=PROJECT) for name in ("a", "b")]
    other = admin("keys.create", "a", project="0" * 24)
    with keys[0].client() as first, keys[1].client() as second, other.client() as third:
        first.embed_query("a", model=MODEL)
        with pytest.raises(error.RateLimitError):
            second.embed_query("a", model=MODEL)
        first.embed_query("a", model="voyage-4-lite")
        third.embed_query("a", model=MODEL)
        third.embed_query("a", model=MODEL)


def test_lists_are_read_page_by_page(admin: Any, emulator: Emulator) -> None:
    """Users iterate without counting pages, and can still fetch a single page."""
    for number in range(5):
        admin("keys.create", f"key {number}", project=PROJECT)
    names = [key.name for key in admin("keys.list", project=PROJECT, page_size=2)]
    assert [f"key {number}" for number in range(5)] == names
    asked = [each.query for each in emulator.requests if each.operation == "listGroupModelKeys"]
    assert [f"itemsPerPage=2&pageNum={number}" for number in (1, 2, 3)] == asked
    page = admin.page("keys.list", 3, project=PROJECT, page_size=2)
    assert (["key 4"], 3, 5, False) == (
        [key.name for key in page.data],
        page.number,
        page.total,
        page.has_more,
    )


def test_an_organization_sees_the_keys_and_the_limits_of_all(admin: Any) -> None:
    """An administrator reviews the keys and limits of every project in one list."""
    key = admin("keys.create", "a", project=PROJECT)
    admin("keys.create", "b", project="0" * 24)
    admin("rate_limits.set", GROUP, project=PROJECT, rpm=3, tpm=1000)
    found = admin("keys.list", organization=ORGANIZATION)
    assert [("a", PROJECT), ("b", "0" * 24)] == [(each.name, each.project) for each in found]
    assert "a" == admin("keys.get", key.id, organization=ORGANIZATION).name
    most = admin("rate_limits.get", GROUP, organization=ORGANIZATION)
    assert 3 < most.rpm
    listed = admin("rate_limits.list", organization=ORGANIZATION)
    assert most in listed


def test_limits_are_reset_for_one_group_and_for_all(admin: Any) -> None:
    """After a reset the organization's limits apply again."""
    most = {
        group: admin("rate_limits.get", group, organization=ORGANIZATION).rpm
        for group in (GROUP, "voyage_4_lite")
    }

    def set_all() -> None:
        for group in most:
            admin("rate_limits.set", group, project=PROJECT, rpm=1, tpm=1)

    def rpms() -> list[int]:
        return [admin("rate_limits.get", group, project=PROJECT).rpm for group in most]

    set_all()
    assert most[GROUP] == admin("rate_limits.reset", GROUP, project=PROJECT).rpm
    assert [most[GROUP], 1] == rpms()
    set_all()
    admin("rate_limits.reset_all", project=PROJECT)
    assert list(most.values()) == rpms()


def test_a_key_is_renamed_and_keeps_its_secret(admin: Any) -> None:
    """Programs that use the key keep working after a rename."""
    key = admin("keys.create", "a", project=PROJECT)
    assert "b" == admin("keys.rename", key.id, "b", project=PROJECT).name
    with key.client() as vo:
        vo.embed_query("a", model=MODEL)


def test_a_key_of_a_geography_has_its_prefix(admin: Any) -> None:
    """The key's limits are counted separately, and its prefix selects another host."""
    key = admin("keys.create", "a", project=PROJECT, geography="EU")
    assert key.secret.startswith("al-eu-")
    limit = admin("rate_limits.get", GROUP, project=PROJECT, geography="EU")
    assert "EU" == limit.geography


@pytest.mark.parametrize(
    ("method", "args", "options", "kind", "code", "words"),
    [
        ("keys.get", ["none"], {}, error.NotFoundError, "RESOURCE_NOT_FOUND", "no key"),
        ("rate_limits.get", ["none"], {}, error.NotFoundError, "RESOURCE_NOT_FOUND", "model group"),
        (
            "rate_limits.set",
            [GROUP],
            {"rpm": 10**9, "tpm": 1},
            error.InvalidRequestError,
            "BAD_REQUEST",
            "exceeds the organization's",
        ),
        (
            "keys.create",
            ["a"],
            {"geography": "MOON"},
            error.InvalidRequestError,
            "BAD_REQUEST",
            "no geography MOON",
        ),
        ("keys.list", [], {"project": "x"}, error.NotFoundError, "RESOURCE_NOT_FOUND", "project x"),
    ],
)
def test_a_refusal_carries_atlas_s_code_and_detail(
    admin: Any, method: str, args: list[Any], options: Any, kind: Any, code: str, words: str
) -> None:
    """Programs branch on the code, and people read the detail."""
    with pytest.raises(kind, match=words) as caught:
        admin(method, *args, **{"project": PROJECT, **options})
    assert code == caught.value.code
    assert f"({code})" in str(caught.value)
    assert "base URL" not in str(caught.value)


def test_a_name_is_taken_once_in_a_project(admin: Any) -> None:
    """A second key of the same name could not be told from the first in a list."""
    admin("keys.create", "a", project=PROJECT)
    with pytest.raises(error.InvalidRequestError, match="already has a key named a"):
        admin("keys.create", "a", project=PROJECT)


def test_only_a_new_key_makes_a_client(admin: Any) -> None:
    """A client without the key's secret would only send requests that are refused."""
    key = admin("keys.create", "a", project=PROJECT)
    read = admin("keys.get", key.id, project=PROJECT)
    with pytest.raises(error.ArgumentError, match=r"only the result of create\(\) has it"):
        read.client()


def test_wrong_credentials_are_refused_before_anything_is_done(
    face: Any, emulator: Emulator
) -> None:
    """The error also doesn't repeat the credentials."""
    admin = face(
        client_id=ACCOUNT["client_id"], client_secret="wrong-text", base_url=emulator.origin
    )
    with pytest.raises(error.AuthenticationError, match="not valid") as caught:
        admin("keys.create", "a", project=PROJECT)
    assert "wrong-text" not in str(caught.value)
    assert ["/api/oauth/token"] == [each.path for each in emulator.requests]
    assert not caught.value.outcome_unknown


@pytest.mark.parametrize(
    ("method", "args", "options", "argument"),
    [
        ("keys.list", [], {}, "project"),
        ("keys.list", [], {"project": PROJECT, "organization": ORGANIZATION}, "project"),
        ("keys.list", [], {"project": PROJECT, "page_size": 0}, "page_size"),
        ("keys.get", ["a/b"], {"project": PROJECT}, "key_id"),
        ("keys.get", [".."], {"project": PROJECT}, "key_id"),
        ("keys.create", [""], {"project": PROJECT}, "name"),
        ("keys.create", ["a" * 251], {"project": PROJECT}, "name"),
        ("keys.create", ["a"], {"project": 7}, "project"),
        ("keys.create", ["a"], {"project": PROJECT, "geography": ""}, "geography"),
        ("keys.rename", ["a", None], {"project": PROJECT}, "name"),
        ("rate_limits.set", [GROUP], {"project": PROJECT, "rpm": 0, "tpm": 1}, "rpm"),
        ("rate_limits.set", [GROUP], {"project": PROJECT, "rpm": 1, "tpm": 1.5}, "tpm"),
        ("rate_limits.of", ["voyage-none"], {"project": PROJECT}, "model"),
    ],
)
def test_a_wrong_argument_is_named(
    admin: Any, method: str, args: list[Any], options: Any, argument: str
) -> None:
    """The error comes before a request, except for models that only the server's list knows."""
    with pytest.raises(error.ArgumentError) as caught:
        admin(method, *args, **options)
    assert argument == caught.value.argument
