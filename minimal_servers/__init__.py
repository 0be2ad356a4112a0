"""Two small, correct web servers built from sockets with the standard library alone.

Read the files in the order in which the course builds them: ``http11`` (the bytes of one message),
``wsgi`` (PEP 3333), ``connection`` (one client), ``threads`` (who waits and who is served, in one
process), ``workers`` (processes and signals).
"""
