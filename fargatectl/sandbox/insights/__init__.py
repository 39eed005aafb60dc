"""CloudWatch Logs Insights of the local AWS: queries that take their time, and a part of their language."""
