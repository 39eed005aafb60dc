"""AWS Cloud Map: namespaces whose operations take their time, services, and the instances that ECS registers."""
