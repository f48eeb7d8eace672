"""The version of this package; the build reads it from here."""

VERSION = "0.6.0.dev0"
