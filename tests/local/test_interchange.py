"""Results passed to torch without a copy."""

from __future__ import annotations

from array import array

import pytest
import torch
from voyageai.object import EmbeddingsObject
from voyageai.vectors import Vectors
from voyageai_rest.dtypes import DTYPES


@pytest.mark.parametrize("dtype", DTYPES)
def test_torch_shares_memory(dtype):
    """Vectors are copied only when torch changes them or moves them to another device."""
    number = DTYPES[dtype].number
    kind = {"float32": "f", "int8": "b", "uint8": "B"}[number]
    result = EmbeddingsObject()
    result._append(Vectors(bytearray(array(kind, range(16)).tobytes()), number, 8))
    tensor = torch.from_dlpack(result)

    assert (getattr(torch, number), (2, 8)) == (tensor.dtype, tuple(tensor.shape))
    assert result.to_numpy().ctypes.data == tensor.data_ptr()
    assert result.embeddings == tensor.tolist()
    tensor[0, 0] = 7
    assert 7 == result.embeddings[0][0]
