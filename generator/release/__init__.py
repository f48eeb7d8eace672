"""Release a version: every step is a command of `python -m generator.release`."""
