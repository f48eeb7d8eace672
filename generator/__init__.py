"""The generator: spec in, code out.

`python -m generator` rewrites `generated/` from `spec/`; `python -m generator --check` only says
what would change. Same input, same bytes, wherever it is started.
"""
