"""The official client's name for `voyageai.compat.util`."""

from .compat import util as _util
from .compat.util import (
    decode_base64_embedding,
    default_api_key,
    log_debug,
    log_info,
    log_warn,
    logfmt,
)

# Public in the official client, though not in __all__.
VOYAGE_LOG, logger = _util.VOYAGE_LOG, _util.logger
api_key_to_header, get_default_base_url = _util.api_key_to_header, _util.get_default_base_url

__all__ = [
    "decode_base64_embedding",
    "default_api_key",
    "log_debug",
    "log_info",
    "log_warn",
    "logfmt",
]
