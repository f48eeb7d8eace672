"""Jobs of any size, made of batches: what `client.batches.embed` and its like give and take."""
