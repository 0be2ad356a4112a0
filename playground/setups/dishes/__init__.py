"""The same menu in every framework: one module each, and the work itself once, in ``work``.

Every app answers ``/hello``, ``/cpu?ms=``, ``/native?ms=``, ``/waiting?s=``, ``/upstream?s=``,
``/database``, ``/hybrid?s=&ms=``, ``/events?n=&s=``, ``/predict`` (POST), ``/health`` and
``/counts``; those that can, ``/ws`` too. ``?pool=1`` moves computing from an event loop into a
thread. What is asked for too much is cut, or refused by a framework that checks its parameters.
"""
