"""Administration of model API keys and their rate limits in MongoDB Atlas.

    from voyageai.admin import Admin

    admin = Admin()  # finds a service account in MONGODB_ATLAS_CLIENT_ID and ..._CLIENT_SECRET
    key = admin.keys.create("search in production", project="65f0a1b2c3d4e5f6a7b8c9d0")
    result = key.client().embed(["hello world"], model="voyage-4")

Keys that were made on Voyage AI's own platform can only be administered there.
"""

from __future__ import annotations

from .client import Admin
from .client_async import AsyncAdmin
from .objects import AsyncPages, ModelKey, ModelRateLimit, Page, Pages

__all__ = ["Admin", "AsyncAdmin", "AsyncPages", "ModelKey", "ModelRateLimit", "Page", "Pages"]
