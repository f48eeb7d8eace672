"""The generator, which turns the spec into code.

`python -m generator` rewrites `generated/` from `spec/`; `python -m generator --check` only shows
what would change. The output is identical, byte for byte, on every machine and from every
directory.
"""
