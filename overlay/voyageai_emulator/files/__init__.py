"""Files: uploaded for batch jobs, or written by them. Each is gone after its time."""
