"""Two small, correct web servers built from sockets with the standard library alone.

Read the files in the order in which the course builds them: ``http11`` (the bytes of one message),
``wsgi`` (PEP 3333), ``connections`` (who waits, who is served), ``workers`` (processes and signals).
"""
