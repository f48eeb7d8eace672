"""The tokenizer that the emulator counts by: its training, and its counts beside others'."""
