"""Compare the client's weight and speed with those of others, in one run; README.md says how."""
