"""The version and the changelog lines that the changes since the last release ask for."""
