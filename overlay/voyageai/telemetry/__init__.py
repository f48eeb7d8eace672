"""Spans and metrics of calls and jobs with OpenTelemetry; loaded once a program uses it.

`names` has the names of everything recorded, `recorder` records calls, `jobs` records runs of jobs.
Texts, URLs of images and keys are never passed to any of them.
"""
