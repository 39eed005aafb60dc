"""Reads and changes AWS through reconcilers; knows no AWS service itself."""
