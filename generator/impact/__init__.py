"""What the changes since the last release ask of the next one: its number, and what is told."""
