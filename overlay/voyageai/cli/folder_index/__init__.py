"""An index of a folder's texts, kept in the folder: `voyageai index` and `voyageai search`.

`settings.py` has its settings, `files.py` finds the files, `chunks.py` cuts them into chunks,
`store.py` keeps the chunks with their vectors, `building.py` embeds new chunks, and `searching.py`
finds the nearest to a query. docs/cli/index-and-search.md describes the files on disk.
"""
