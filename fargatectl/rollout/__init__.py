"""Deployments: follow them to their end and tell how the services are. Rules and history join them here."""
