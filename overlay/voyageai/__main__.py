"""The command line, as `python -m voyageai`."""

from .cli import main

main()
