"""Route 53: hosted zones and their records (AWS: Route 53 API Reference). No name of them resolves anywhere."""
