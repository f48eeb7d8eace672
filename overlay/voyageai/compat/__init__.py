"""The official client's names that this one does not need: old modules are façades over these."""
