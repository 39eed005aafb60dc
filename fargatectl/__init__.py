"""fargatectl converges a live AWS account to one TOML file and runs Fargate services there."""

__version__ = "0.1.0"
