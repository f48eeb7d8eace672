"""An index of a folder's texts, kept in the folder: `voyageai index` and `voyageai search`.

`settings.py` says what it is made of. `files.py` finds the files that count, `chunks.py` cuts them,
`store.py` keeps the chunks with their vectors, `building.py` embeds those that are new, and
`searching.py` finds the nearest to a query. docs/cli/index-and-search.md describes what is on disk.
"""
