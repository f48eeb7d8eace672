"""Tests of the spec and of its rules."""
