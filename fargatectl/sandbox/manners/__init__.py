"""Manners of the real AWS where moto is lenient: handlers that refuse, wait or amend, in front of moto's answers.

One module a concern. A handler is registered with `HANDLERS.handles` and its module named in `services`; handlers of
the same operation run in the order of that list, each deciding whether to forward to the next.
"""
