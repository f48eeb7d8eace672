"""How light and how quick the client is, beside others, in one run. See README.md."""
