"""Application Auto Scaling for ECS services: targets, policies with their alarms, scheduled actions.

AWS: Application Auto Scaling API Reference and user guide. Nothing scales by itself here, as no metric moves; what a
client sees of its settings, and what registering does to a service's count, is AWS's.
"""
