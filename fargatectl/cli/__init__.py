"""The command line: one file per command; each parses, calls and renders.

`main` and `options` import neither boto3, botocore, pydantic nor our engine: a command's own module, which may, is
imported when the command runs.
"""
