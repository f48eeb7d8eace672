"""The models of requests and responses. Each is imported when it is first accessed."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .bad_request_detail import BadRequestDetail as BadRequestDetail
    from .create_model_key_request import CreateModelKeyRequest as CreateModelKeyRequest
    from .error import Error as Error
    from .field_violation import FieldViolation as FieldViolation
    from .link import Link as Link
    from .model_key import ModelKey as ModelKey
    from .model_key_page import ModelKeyPage as ModelKeyPage
    from .model_rate_limit import ModelRateLimit as ModelRateLimit
    from .model_rate_limit_page import ModelRateLimitPage as ModelRateLimitPage
    from .update_model_key_request import UpdateModelKeyRequest as UpdateModelKeyRequest
    from .update_model_rate_limit_request import (
        UpdateModelRateLimitRequest as UpdateModelRateLimitRequest,
    )

_MODULES = {
    "BadRequestDetail": ".bad_request_detail",
    "CreateModelKeyRequest": ".create_model_key_request",
    "Error": ".error",
    "FieldViolation": ".field_violation",
    "Link": ".link",
    "ModelKey": ".model_key",
    "ModelKeyPage": ".model_key_page",
    "ModelRateLimit": ".model_rate_limit",
    "ModelRateLimitPage": ".model_rate_limit_page",
    "UpdateModelKeyRequest": ".update_model_key_request",
    "UpdateModelRateLimitRequest": ".update_model_rate_limit_request",
}

__all__ = (
    "BadRequestDetail",
    "CreateModelKeyRequest",
    "Error",
    "FieldViolation",
    "Link",
    "ModelKey",
    "ModelKeyPage",
    "ModelRateLimit",
    "ModelRateLimitPage",
    "UpdateModelKeyRequest",
    "UpdateModelRateLimitRequest",
)


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name], __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)
