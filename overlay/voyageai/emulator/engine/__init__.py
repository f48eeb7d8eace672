"""The emulator's stand-in for the models: pure functions from texts to vectors and scores.

Words and character n-grams are hashed and projected; texts that share them are near each other.
No network, no clock, no randomness, no state that shows: a text's vector is a function of the
text, its role, the model and the dimension alone, the same in every process and on every machine.
"""
