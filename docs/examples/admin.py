"""Create a key, limit its rate, exceed the limit, keep to the limit, and delete the key.

    MONGODB_ATLAS_CLIENT_ID=... MONGODB_ATLAS_CLIENT_SECRET=... python admin.py PROJECT

Uses Atlas, or the host in MONGODB_ATLAS_BASE_URL, such as an emulator. --async uses the
asynchronous client. The key is deleted even if a step fails.
"""

from __future__ import annotations

import argparse
import asyncio

from voyageai.admin import Admin, AsyncAdmin
from voyageai.error import AuthenticationError, DeadlineError, RateLimitError

MODEL, NAME, TEXT = "voyage-4", "an example", "Where are the keys?"
RPM, TPM = 2, 1000


def blocking(project: str) -> None:
    """Run the steps with `Admin`."""
    with Admin() as admin:
        key = admin.keys.create(NAME, project=project)
        print(f"created {key.name}: {key.masked_secret} at {key.endpoint}")
        try:
            groups = admin.rate_limits.list(project=project)
            group = next(limit.group for limit in groups if MODEL in limit.models) or ""
            admin.rate_limits.set(group, project=project, rpm=RPM, tpm=TPM)
            with key.client() as vo:
                try:
                    for number in range(1, RPM + 2):
                        vo.embed_query(TEXT, model=MODEL)
                        print(f"request {number} was answered")
                except RateLimitError as error:
                    print(f"refused: {error.user_message}")
            limit = admin.rate_limits.of(MODEL, project=project)
            with key.client(rate_limit=limit, deadline=1) as vo:
                try:
                    for _ in range(RPM + 1):
                        vo.embed_query(TEXT, model=MODEL, max_retries=0)
                except (DeadlineError, RateLimitError) as error:
                    print(f"with {limit} a client waits: {error.user_message}")
            admin.rate_limits.reset(group, project=project)
        finally:
            admin.keys.delete(key.id or "", project=project)
            print("deleted")
        with key.client() as vo:
            try:
                vo.embed_query(TEXT, model=MODEL)
            except AuthenticationError as error:
                print(f"refused: {error.user_message}")


async def asynchronous(project: str) -> None:
    """Run the steps with `AsyncAdmin`."""
    async with AsyncAdmin() as admin:
        key = await admin.keys.create(NAME, project=project)
        print(f"created {key.name}: {key.masked_secret} at {key.endpoint}")
        try:
            groups = [limit async for limit in admin.rate_limits.list(project=project)]
            group = next(limit.group for limit in groups if MODEL in limit.models) or ""
            await admin.rate_limits.set(group, project=project, rpm=RPM, tpm=TPM)
            async with key.async_client() as vo:
                try:
                    for number in range(1, RPM + 2):
                        await vo.embed_query(TEXT, model=MODEL)
                        print(f"request {number} was answered")
                except RateLimitError as error:
                    print(f"refused: {error.user_message}")
            limit = await admin.rate_limits.of(MODEL, project=project)
            async with key.async_client(rate_limit=limit, deadline=1) as vo:
                try:
                    for _ in range(RPM + 1):
                        await vo.embed_query(TEXT, model=MODEL, max_retries=0)
                except (DeadlineError, RateLimitError) as error:
                    print(f"with {limit} a client waits: {error.user_message}")
            await admin.rate_limits.reset(group, project=project)
        finally:
            await admin.keys.delete(key.id or "", project=project)
            print("deleted")
        async with key.async_client() as vo:
            try:
                await vo.embed_query(TEXT, model=MODEL)
            except AuthenticationError as error:
                print(f"refused: {error.user_message}")


def main() -> None:
    """Run the steps with the client that the arguments select."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("project", help="id of the project")
    parser.add_argument(
        "--async", action="store_true", dest="asynchronous", help="use the asynchronous client"
    )
    given = parser.parse_args()
    if given.asynchronous:
        asyncio.run(asynchronous(given.project))
    else:
        blocking(given.project)


if __name__ == "__main__":
    main()
