"""Two small, correct web servers built from sockets with the standard library alone.

Read the files in the order in which the course builds them: ``http11`` (the bytes of one message),
``response`` (the bytes of an answer), ``wsgi`` (PEP 3333), ``connection`` (one client), ``threads``
(who waits and who is served, in one process), ``workers`` (processes and signals). Then the other
half: ``eventloop`` (what asyncio is, from nothing), ``asgi`` (ASGI 3.0), ``tasks`` (one process,
one loop), ``websocket`` (the bytes of RFC 6455), ``session`` (one WebSocket).
"""
