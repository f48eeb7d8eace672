"""Inputs of calls, checked and in the contract's form."""
