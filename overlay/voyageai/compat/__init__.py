"""Names of the official client that nothing else here needs; its old modules import them."""
