"""Integrations that other libraries call: each module needs the extra of its name."""
