"""Names that only the official client's interface needs, for the modules with its names."""
