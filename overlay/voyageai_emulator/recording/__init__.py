"""The record of each request that reaches the emulator."""
