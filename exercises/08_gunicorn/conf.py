"""A `gunicorn.conf.py`: plain names with values, read by Gunicorn when it starts.

The names are those of the settings in Gunicorn's documentation (27.0.1), such as `workers`. Spell
them exactly: a name that Gunicorn does not know is ignored without a word. Write a file that meets
these objectives:

1. It listens on port 8000, and can be reached from this machine only.
2. Two worker processes. Each of them serves four requests at a time, and no more.
3. The application is imported once, by the parent, so that its model is in memory once.
4. The application leaks. A worker serves at least 50 requests and at most 60 before it is replaced,
   and the two shall not retire at the same request: the limit is drawn anew for each worker.
5. A worker whose bell has been silent for more than 20 seconds is given up.
6. The platform kills everything 30 seconds after TERM. By then Gunicorn shall have ended by itself,
   but requests get at least 20 of these seconds to finish.
7. An idle connection is kept open for 5 seconds.

The check reads your values, starts Gunicorn with them (on a port of its own), and looks: how many
processes, how many inside together, who imported, after how many requests a worker is replaced.
Seconds are only read, as that would take too long to watch.
"""

bind = None
workers = None  # and so on: you need about ten names
