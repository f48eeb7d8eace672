"""From a tree to a published version: every step is a command of `python -m generator.release`."""
