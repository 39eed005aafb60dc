"""The local AWS: moto behind an ECS and manners of our own, in process for tests and on loopback for people.

`LocalAws` (`inprocess`) and the server (`server`, `lifetime`) put the same `Cloud` behind different doors. Nothing here
is imported by the rest of the package but `cli`, and nothing here imports what it judges.
"""
