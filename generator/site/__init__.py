"""Build the documentation site: pages of docs/ and a reference from the code, as HTML."""
