"""One module per AWS concern. Each holds its specs, a small reconciler per kind, and `declare` functions that put
resources on the stack and return late values. They never import one another: `stack.py` is where they meet."""
