"""Make a first call in an environment with only the package and its requirements."""

import sys
from pathlib import Path

import voyageai
import voyageai_admin_rest
import voyageai_emulator
import voyageai_rest
from voyageai.version import VERSION
from voyageai_rest.catalogue import MODELS


def main() -> None:
    """Embed two texts with the emulator."""
    for package in (voyageai, voyageai_emulator, voyageai_rest, voyageai_admin_rest):
        folder = Path(str(package.__file__)).parent
        if not (folder.is_relative_to(sys.prefix) and folder.joinpath("py.typed").is_file()):
            sys.exit(f"{folder} is not the installed package, or has no py.typed")
    model = next(model for model in MODELS.values() if model.endpoint == "embeddings")
    with voyageai_emulator.running() as url:
        client = voyageai.Client(api_key="any", base_url=url)
        vectors = client.embed_documents(["a key", "a table"], model=model.name).embeddings
    print(f"voyageai {VERSION}: {model.name} gave {len(vectors)} vectors of {len(vectors[0])}")


if __name__ == "__main__":
    main()
