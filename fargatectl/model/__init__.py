"""Pure values: what is wanted, what changes, what happened. No I/O; imports nothing of ours but `errors`."""
