"""CloudWatch of the local AWS: alarms and dashboards. No metric moves, so that states of alarms change by hand."""
