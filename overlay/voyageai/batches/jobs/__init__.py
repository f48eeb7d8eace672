"""Jobs of any number of rows: estimated, split into batches, continued after an interruption."""
