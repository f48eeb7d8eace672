"""Spans and metrics of calls and jobs, by OpenTelemetry's API; loaded once a program uses that.

`names` is all that is recorded, `recorder` records calls, `jobs` records runs of jobs. No text, no
URL of a picture and no key is ever handed to any of it.
"""
