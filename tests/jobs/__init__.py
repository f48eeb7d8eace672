"""Jobs that are large, and jobs whose processes are killed: `nox -s jobs`."""
