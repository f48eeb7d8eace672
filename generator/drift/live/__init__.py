"""Compare the answers of a real host with the contract: `python -m generator.drift live`.

It sends a few cheap requests, which probes/ lists for each contract. Their maximum cost is computed
from the catalogue and printed first; above the budget, nothing is sent.
"""
