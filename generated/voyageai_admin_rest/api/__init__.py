"""The operations of the API, one module each, in a package per tag."""
