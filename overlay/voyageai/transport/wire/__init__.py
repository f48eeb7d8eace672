"""HTTPX2's transports, one connection each; README.md says why, and what that costs."""
