"""Options of single calls, and checks of them and of a client's settings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypedDict, cast

from attrs import field, frozen

from .argument_checks import check_flag, check_value
from .error import ArgumentError
from .extras import require
from .retry import RetryPolicy

if TYPE_CHECKING:
    import httpx2

    from .ratelimit import RateLimiter
    from .telemetry.recorder import Telemetry

    Seconds = float | httpx2.Timeout | None
else:
    Seconds = Any

WITH_INPUT_TYPE = ("embed", "contextualized_embed", "multimodal_embed")
"""Methods that take an input type."""
# A token and a field value of RFC 9110, without the bytes above ASCII, which it calls obsolete.
HEADER = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
VALUE = re.compile(r"(?:[!-~](?:[\t -~]*[!-~])?)?")
MAX_SECONDS = 366 * 24 * 60 * 60.0
"""Longest deadline, as clocks of operating systems overflow beyond some length."""
NEVER_SENT = ("authorization", "host", "content-length", "content-type", "transfer-encoding")


class CallOptions(TypedDict, total=False):
    """Keyword arguments that every method takes, for this call alone.

    Attributes:
        timeout: Seconds for each attempt, or an `httpx2.Timeout` for its phases.
        deadline: Seconds for the whole call, retries and waits included.
        max_retries: Retries, or a `RetryPolicy`.
        extra_headers: Further headers.
        extra_body: Further fields of the body, for those that this release does not know yet.
    """

    timeout: Seconds
    deadline: float | None
    max_retries: int | RetryPolicy
    extra_headers: Mapping[str, str] | None
    extra_body: Mapping[str, Any] | None


# A new field of the contract is one line in one of these: the signatures are the official client's
# and stay as they are. tests/overlay/test_arguments.py compares both with the contract.


class OpenTelemetry(TypedDict, total=False):
    """The OpenTelemetry settings of a client, as `Client(open_telemetry=...)` takes them.

    Attributes:
        tracer_provider: An `opentelemetry.trace.TracerProvider`; without it the program's.
        meter_provider: An `opentelemetry.metrics.MeterProvider`; without it the program's.
        propagation: True, the default, to send `traceparent` and other headers of the program's
            propagators.
    """

    tracer_provider: Any
    meter_provider: Any
    propagation: bool


class EmbedOptions(CallOptions, total=False):
    """Options of a call of `embed` and its forms, and fields of `EmbeddingsRequest`."""


class ContextualizedEmbedOptions(CallOptions, total=False):
    """Options of `contextualized_embed`, and fields of `ContextualizedEmbeddingsRequest`."""


class MultimodalEmbedOptions(CallOptions, total=False):
    """Options of `multimodal_embed`, and fields of `MultimodalEmbeddingsRequest`."""


class RerankOptions(CallOptions, total=False):
    """Options of `rerank`, and fields of `RerankRequest`.

    Attributes:
        return_documents: True for a response that repeats the documents; the result has them
            anyway.
    """

    return_documents: bool | None


TELEMETRY_VARIABLE = "VOYAGE_OPEN_TELEMETRY"
SWITCH = {"": None, "true": True, "1": True, "false": False, "0": False}
"""Values of that variable."""
PROVIDERS = {"tracer_provider": "get_tracer", "meter_provider": "get_meter"}
"""A method that each kind of provider is recognized by."""
CALL_OPTION_NAMES = frozenset(CallOptions.__annotations__)
"""Names of the options of a call."""


def unexpected(function: str, name: str, known: Iterable[str]) -> TypeError:
    """Return the error for an unknown keyword argument.

    Args:
        function: Name of the function; empty if unknown.
        name: Name of the unknown argument.
        known: Names of the arguments that the function has.
    """
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    called = f"{function}() " if function else ""
    return TypeError(f"{called}got an unexpected keyword argument {name!r}{hint}")


@frozen(kw_only=True)
class Options:
    """The complete options of a call: its own, and the client's where it has none.

    Attributes:
        limiter: The rate limiter that the call waits for.
        max_response_bytes: Most bytes of a response; None for the most that a correct one needs.
        telemetry: The recorder of the call; None without telemetry.
        is_wrapped: True if an instrumentor makes a span for the call already.
        timeout, deadline, max_retries, extra_headers, extra_body: As in `CallOptions`.
    """

    timeout: Seconds = None
    deadline: float | None = None
    max_retries: RetryPolicy = field(factory=RetryPolicy)
    limiter: RateLimiter | None = None
    max_response_bytes: int | None = None
    telemetry: Telemetry | None = None
    is_wrapped: bool = False
    extra_headers: Mapping[str, str] = field(factory=dict[str, str])
    extra_body: Mapping[str, Any] = field(factory=dict[str, Any])

    @classmethod
    def of(
        cls,
        given: CallOptions,
        *,
        timeout: Seconds,
        deadline: float | None,
        max_retries: int | RetryPolicy,
        limiter: RateLimiter | None,
        max_response_bytes: int | None = None,
        telemetry: Telemetry | None = None,
        is_wrapped: bool = False,
        method: str = "",
    ) -> Options:
        """Return the complete options of a call.

        Args:
            given: The options of the call.
            timeout: The client's timeout.
            deadline: The client's deadline.
            max_retries: The client's retries.
            limiter: The client's rate limiter.
            max_response_bytes: The client's limit of response sizes.
            telemetry: The client's recorder.
            is_wrapped: True if an instrumentor makes a span for the call already.
            method: Name of the method that was called, for errors.

        Raises:
            TypeError: `given` has an unknown option.
            ArgumentError: The value of an option is not allowed.
        """
        for name in given.keys() - CALL_OPTION_NAMES:
            raise unexpected(method, name, CALL_OPTION_NAMES)
        headers, body = given.get("extra_headers"), given.get("extra_body")
        return cls(
            timeout=seconds(given.get("timeout", timeout)),
            deadline=positive(given.get("deadline", deadline)),
            max_retries=policy(given.get("max_retries", max_retries)),
            limiter=limiter,
            max_response_bytes=max_response_bytes,
            telemetry=telemetry,
            is_wrapped=is_wrapped,
            extra_headers=check_headers("extra_headers", headers) if headers else {},
            extra_body=_mapping("extra_body", body) if body else {},
        )

    @property
    def whole(self) -> float | None:
        """Seconds that the whole call may take, retries included."""
        return None if self.deadline is None else float(min(self.deadline, MAX_SECONDS))


def policy(retries: int | RetryPolicy) -> RetryPolicy:
    """Return a number of retries as a policy, and a policy unchanged.

    Raises:
        ArgumentError: `retries` is neither a `RetryPolicy` nor an integer from 0.
    """
    if isinstance(retries, RetryPolicy):
        return retries
    if type(retries) is not int or retries < 0:
        raise ArgumentError(
            f"max_retries must be a whole number, 0 or more, or a RetryPolicy, not {retries!r}",
            "max_retries",
        )
    return RetryPolicy(max_retries=retries)


def seconds(timeout: Seconds) -> Seconds:
    """Return a timeout unchanged.

    Raises:
        ArgumentError: `timeout` is neither seconds above 0 nor an `httpx2.Timeout`.
    """
    if timeout is None or (_is_time(timeout) and timeout):
        return timeout
    given: Any = timeout
    phases = given.as_dict().values() if hasattr(given, "as_dict") else [-1]
    if not all(each is None or _is_time(each) for each in phases):
        raise ArgumentError(
            "timeout must be a number of seconds greater than 0, an httpx2.Timeout, or None for "
            f"the default, not {given!r}; for separate connect and read timeouts use "
            "httpx2.Timeout(read, connect=connect)",
            "timeout",
        )
    return timeout


def _is_time(given: object) -> bool:
    """Return whether a value is a number of seconds from 0."""
    return isinstance(given, (int, float)) and not isinstance(given, bool) and given >= 0


def check_open_telemetry(
    given: OpenTelemetry | bool | None, variable: str
) -> OpenTelemetry | bool | None:
    """Return the OpenTelemetry settings of a client: its argument, or else the environment's.

    Args:
        given: The argument `open_telemetry` of the client.
        variable: The value of VOYAGE_OPEN_TELEMETRY.

    Raises:
        ArgumentError: `given` is no bool or mapping, or has an unknown key or a wrong value; or
            `variable` is neither true nor false.
        ImportError: OpenTelemetry is asked for and not installed.
    """
    place = "open_telemetry"
    if given is None:
        place = TELEMETRY_VARIABLE
        if variable.strip().lower() not in SWITCH:
            raise ArgumentError(f"{place} must be true or false, not {variable!r}", place)
        given = SWITCH[variable.strip().lower()]
    if given is None or given is False:
        return given
    if given is not True:
        given = cast("OpenTelemetry", _mapping(place, given, "True, False or a mapping"))
        for name, value in given.items():
            if name not in OpenTelemetry.__annotations__:
                known = ", ".join(OpenTelemetry.__annotations__)
                raise ArgumentError(f"{place} has {name!r}, and may have {known}", place)
            if name == "propagation":
                check_flag("propagation", value)
            elif value is not None and not hasattr(value, PROVIDERS[name]):
                raise ArgumentError(
                    f"the {name} in {place} must be one of OpenTelemetry, such as of "
                    f"opentelemetry.sdk, not {type(value).__name__}",
                    place,
                )
    try:
        require("opentelemetry.trace", "otel")
    except ImportError as failure:
        failure.add_note(f"{place} asks for it")
        raise
    return given


def check_input_types(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of default input types, by method.

    Raises:
        ArgumentError: `given` is no mapping, or has an unknown method or input type.
    """
    given = _mapping("input_types", given)
    for method, input_type in given.items():
        if method not in WITH_INPUT_TYPE:
            raise ArgumentError(
                f"input_types has {method!r}; the methods are {', '.join(WITH_INPUT_TYPE)}",
                "input_types",
            )
        check_value("EmbeddingsRequest", "input_type", input_type)
    return given


def positive(deadline: float | None) -> float | None:
    """Return a deadline unchanged.

    Raises:
        ArgumentError: `deadline` is not a number of seconds above 0.
    """
    if deadline is not None and not (_is_time(deadline) and deadline > 0):
        raise ArgumentError(
            f"deadline must be a number of seconds greater than 0, or None, not {deadline!r}",
            "deadline",
        )
    return deadline


def byte_limit(size: int | None) -> int | None:
    """Return a limit of response sizes unchanged.

    Raises:
        ArgumentError: `size` is not an integer above 0.
    """
    if size is not None and (type(size) is not int or size < 1):
        raise ArgumentError(
            f"max_response_bytes must be a whole number of bytes above 0 or None, not {size!r}",
            "max_response_bytes",
        )
    return size


def check_headers(argument: str, headers: Mapping[str, str]) -> dict[str, str]:
    """Return a copy of headers that RFC 9110 allows. Values may be secrets.

    Args:
        argument: Name of the argument, for errors.
        headers: The headers.

    Raises:
        ArgumentError: A header can't be sent, or is set by the client. The message names it, but
            never shows its value.
    """
    given = _mapping(argument, headers)
    for name, value in given.items():
        if not isinstance(name, str) or not HEADER.fullmatch(name):
            raise ArgumentError(
                f"{argument} has {name!r}, which is not a header name; use "
                "letters, digits and hyphens, without spaces",
                argument,
            )
        if name.lower() in NEVER_SENT:
            raise ArgumentError(f"{argument} can't set {name!r}, which the client sets", argument)
        if not isinstance(value, str) or not VALUE.fullmatch(value):
            raise ArgumentError(
                f"the value of {name!r} in {argument} can't be sent; it is a string of "
                "printable ASCII characters, with spaces and tabs only within it",
                argument,
            )
    return given


def _mapping(argument: str, given: object, wanted: str = "a mapping") -> dict[Any, Any]:
    """Return a copy of a mapping.

    Args:
        argument: Name of the argument, for errors.
        given: Its value.
        wanted: The allowed types, for errors.

    Raises:
        ArgumentError: `given` is not a mapping.
    """
    if isinstance(given, Mapping):
        return dict(given)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  # given by a user
    raise ArgumentError(f"{argument} must be {wanted}, not {type(given).__name__}", argument)
