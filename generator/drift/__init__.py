"""What differs, by meaning, between two descriptions of the API."""
