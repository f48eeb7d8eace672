"""Deployments of one's own, and gateways: where a client sends instead of to the API.

    vo = voyageai.Client(deployment=voyageai.deployments.SageMaker("my-endpoint", "us-east-1"))
    vo.embed(["hello"])

A client sends to a deployment what it takes, reads its answers as the API's, and refuses what it
can't do, before anything is sent.
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
