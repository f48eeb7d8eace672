"""Checks of the inputs of calls, and their conversion to the form of the contract."""
