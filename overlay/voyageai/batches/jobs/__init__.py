"""Jobs of any number of rows: estimated, split into batches, resumed after an interruption."""
