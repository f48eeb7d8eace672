"""Large jobs, and jobs whose processes are killed: `nox -s jobs`."""
