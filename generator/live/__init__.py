"""What a real host answers, compared with the contract: `python -m generator.drift live`.

It asks a few cheap things, listed in probes.yaml. What they may cost at most is worked out from
the catalogue, printed first, and refused above the budget.
"""
