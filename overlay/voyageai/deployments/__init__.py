"""Deployments of your own, and gateways: hosts that serve the models in place of the API.

    vo = voyageai.Client(deployment=voyageai.deployments.SageMaker("my-endpoint", "us-east-1"))
    vo.embed(["hello"])

A client translates its requests and the responses, and raises for operations and arguments that the
deployment does not support, before anything is sent.
"""

from __future__ import annotations

from .deployment import AzureApp, Deployment, Gateway, SageMaker, VertexEndpoint
from .translation import check_offered, single_model

__all__ = [
    "AzureApp",
    "Deployment",
    "Gateway",
    "SageMaker",
    "VertexEndpoint",
    "check_offered",
    "single_model",
]
