"""Embeddings as features for scikit-learn."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Self

from voyageai_rest.dtypes import DTYPES

from ..argument_checks import (
    catalogue_entry,
    check_blocking,
    check_model,
    check_output,
    check_value,
)
from ..client import Client
from ..error import ArgumentError
from ..extras import require
from ..prices import check_max_cost, dollars
from ..ratelimit.tokens import estimate_tokens, packed
from ..tables.estimate import TableEstimate, most_tokens
from ..vectors import DEFAULT

if TYPE_CHECKING:
    import numpy.typing as npt
    from voyageai_rest.models import InputType, OutputDtype

    class _Base:
        """The base class from scikit-learn: parameters, clones, feature names, frames as output."""

        _n_features_out: int

        def fit_transform(self, X: Iterable[str], y: object = None) -> Any: ...  # noqa: N803

        def get_feature_names_out(self, input_features: object = None) -> Any: ...

        def get_params(self, deep: bool = True) -> dict[str, Any]: ...

        def set_params(self, **params: Any) -> Self: ...

        def set_output(self, *, transform: str | None = None) -> Self: ...

        def __sklearn_tags__(self) -> Any: ...

else:
    base = require("sklearn.base", "sklearn")

    class _Base(base.ClassNamePrefixFeaturesOutMixin, base.TransformerMixin, base.BaseEstimator):
        """The base class from scikit-learn: parameters, clones, feature names, frames as output."""


__all__ = ["VoyageEncoder"]


class VoyageEncoder(_Base):
    """A transformer from texts to vectors: the first step of a pipeline, or a part of columns.

    Nothing is learned, so `fit` sends nothing. Each `transform` embeds and pays for all its texts;
    it prints the cost before it sends anything. A pipeline with `memory=` embeds the same texts
    once.

    Args:
        model: Name of the model.
        input_type: `document`, `query`, or None for texts that are only compared with each other.
        output_dimension: Dimension of the vectors; None for the model's default.
        output_dtype: `float`, `int8`, `uint8`, or packed bits: `binary`, `ubinary`.
        client: The client to use; None to make one per `transform`, with the key and the host of
            the environment.
        max_cost: The most that a `transform` may cost in US dollars, compared with the estimate.
        verbose: True to print the cost of a `transform` to standard error.

    Example:
        >>> from sklearn.linear_model import LogisticRegression
        >>> from sklearn.pipeline import make_pipeline
        >>> model = make_pipeline(VoyageEncoder("voyage-4"), LogisticRegression())
        >>> model = model.fit(["It rains.", "The bank failed."], ["weather", "money"])
        >>> VoyageEncoder("voyage-4").estimate(["It rains."]).tokens
        2
    """

    def __init__(
        self,
        model: str,
        *,
        input_type: InputType | str | None = "document",
        output_dimension: int | None = None,
        output_dtype: OutputDtype | str = DEFAULT,
        client: Client | None = None,
        max_cost: float | None = None,
        verbose: bool = True,
    ) -> None:
        self.model = model
        self.input_type = input_type
        self.output_dimension = output_dimension
        self.output_dtype = output_dtype
        self.client = client
        self.max_cost = max_cost
        self.verbose = verbose

    def fit(self, X: Iterable[str], y: object = None) -> Self:  # noqa: ARG002, N803  # scikit-learn's names
        """Check the parameters and the texts; nothing is sent.

        Args:
            X: The texts: a list, an array or a column of strings, of shape (texts,) or (texts, 1).
            y: Ignored.

        Raises:
            ArgumentError: A parameter is wrong, or `X` are not texts.
        """
        check_output(check_model(self.model), self.output_dimension, self.output_dtype)
        check_value("EmbeddingsRequest", "input_type", self.input_type)
        check_max_cost(self.max_cost)
        if self.client is not None:
            check_blocking(self.client)
        self.n_texts_: int = len(_texts(X))
        entry = catalogue_entry(self.model)
        usual = entry.dimensions.default if entry is not None and entry.dimensions else None
        dimension = self.output_dimension or usual
        if dimension is not None:
            per_number = DTYPES[self.output_dtype].dimensions_per_number
            self._n_features_out = dimension // per_number
        return self

    def estimate(self, X: Iterable[str]) -> TableEstimate:  # noqa: N803
        """Estimate the cost of embedding texts; nothing is sent.

        Args:
            X: The texts, as for `transform`.
        """
        texts = _texts(X)
        count = most_tokens("embed", self.model, {"input_type": self.input_type})
        return TableEstimate(
            model=self.model,
            rows=len(texts),
            tokens=estimate_tokens(texts),
            most_tokens=count([texts]),
            failing=0,
        )

    def transform(self, X: Iterable[str]) -> npt.NDArray[Any]:  # noqa: N803
        """Embed texts.

        Args:
            X: The texts: a list, an array or a column of strings, of shape (texts,) or (texts, 1).

        Returns:
            A matrix of shape (texts, columns), of float32, int8 or uint8.

        Raises:
            ArgumentError: `X` are not texts, or the cost could exceed `max_cost`; nothing was sent.
            VoyageError: A request failed.
        """
        np = require("numpy", "numpy")
        require("sklearn.utils.validation", "sklearn").check_is_fitted(self)
        texts = _texts(X)
        estimate = self.estimate(texts)
        self._check_cost(estimate)
        if self.verbose:
            sys.stderr.write(f"{type(self).__name__}: {estimate}\n")
        parts: list[npt.NDArray[Any]] = []
        with Client() if self.client is None else nullcontext(self.client) as client:
            for request in packed(texts, self.model):
                answer = client.embed(
                    request,
                    self.model,
                    self.input_type,
                    output_dtype=self.output_dtype,
                    output_dimension=self.output_dimension,
                )
                parts.append(answer.to_numpy())
        matrix: npt.NDArray[Any] = np.concatenate(parts)
        self._n_features_out = matrix.shape[1]
        return matrix

    def _check_cost(self, estimate: TableEstimate) -> None:
        if self.max_cost is None:
            return
        if estimate.cost_range is None:
            raise ArgumentError(
                f"max_cost is {dollars(self.max_cost)}, but the price of {self.model} is not known",
                "max_cost",
            )
        if estimate.cost_range[1] > self.max_cost:
            raise ArgumentError(
                f"max_cost is {dollars(self.max_cost)}, but embedding could cost more: {estimate}",
                "max_cost",
            )

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "n_texts_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.transformer_tags.preserves_dtype = []
        return tags


def _texts(given: Any) -> list[str]:
    """Return the texts as a list.

    Raises:
        ArgumentError: The values are not texts, or there are none.
    """
    if isinstance(given, str):
        raise ArgumentError(f"X must be a list of texts, not one text: [{given[:20]!r}]", "X")
    if isinstance(given, Iterator):  # which `fit` would exhaust
        raise ArgumentError("X must be a list of texts, not an iterator; use list(X)", "X")
    np = require("numpy", "numpy")
    values: Any = given
    if hasattr(given, "shape") and len(given.shape) > 1:
        values = np.asarray(given)
        if values.ndim != 2 or values.shape[1] != 1:
            raise ArgumentError(f"X must be one column of texts, not of shape {values.shape}", "X")
        values = values[:, 0]
    texts = list(values)
    if not texts:
        raise ArgumentError("X is empty; it needs at least one text", "X")
    for place, text in enumerate(texts):
        if not isinstance(text, str) or not text:
            raise ArgumentError(f"X[{place}] must be a text that is not empty, not {text!r}", "X")
    return [str(text) for text in texts]
