"""The user's file: its schema, its loader, and everything about it that can be checked without AWS.

pydantic is imported when a file is loaded, never by importing this package: `--help` must not pay for it.
"""
