"""CloudWatch of the local AWS: alarms, dashboards, and what Container Insights counts. What moves is made up, so that
states of alarms change by hand."""
