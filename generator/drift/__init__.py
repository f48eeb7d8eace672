"""Compare two descriptions of the API by meaning."""
