"""Which version and which lines of the changelog the changes since the last release ask for."""
