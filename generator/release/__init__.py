"""Release a version; each step is a command of `python -m generator.release`."""
