"""A user's program: call the new model, field and operation with the new version."""

import json

import voyageai
import voyageai_rest
from voyageai_emulator import running
from voyageai_rest.api.tokens import count_tokens
from voyageai_rest.models import CountTokensRequest, EmbeddingsRequest


def main() -> None:
    """Print the request, the response, and the requests that the contract refuses."""
    texts = ["a key", "a table"]
    with running() as emulator:
        client = voyageai.Client(api_key="any", base_url=emulator)
        options = {"model": "voyage-4.5", "input_type": "document"}
        result = client.embed(texts, **options, priority=3)
        sent = emulator.requests[-1].body
        try:
            client.embed(texts, **options, extra_body={"priority": 30})
        except voyageai.error.InvalidRequestError as error:
            refusal = str(error)
        try:
            client.embed(texts, **options, priority=30)
        except voyageai.error.ArgumentError as error:
            unsent = str(error)
        counted = count_tokens.send(
            client=voyageai_rest.Client(api_key="any", base_url=emulator),
            body=CountTokensRequest(texts=texts, model="voyage-4.5"),
        )
    told = {
        "version": voyageai.__version__,
        "sent": [sent["model"], sent["priority"]],
        "vectors": len(result.embeddings),
        "refusal": refusal,
        "unsent": unsent,
        "counts": counted.parsed.counts,
        "typed": EmbeddingsRequest(input=texts, model="voyage-4.5", priority=3).to_dict()[
            "priority"
        ],
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
