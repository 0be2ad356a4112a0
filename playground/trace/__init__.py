"""Records, the trace they make, the states derived from it, and the tracers that run inside a
server.
"""
