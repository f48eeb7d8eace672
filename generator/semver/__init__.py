"""Check the version and the changelog against the changes since the last release."""
