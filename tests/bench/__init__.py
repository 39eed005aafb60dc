"""How fast the command is, measured from outside: whole processes, through a proxy that delays every call."""
