"""Compare what a real host answers with the contract: `python -m generator.drift live`.

It sends a few cheap requests, listed in probes/ by contract. What they may cost at most is computed
from the catalogue, printed first, and refused above the budget.
"""
