"""Build the documentation site: pages from docs/, a reference from the code, one folder of HTML."""
