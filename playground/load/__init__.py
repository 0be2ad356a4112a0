"""Requests: many at once, over time, one, or exact bytes; and the run that comes of them.

The verb ``load`` has the name of this package, which can be called, as the verb.
"""

from playground.verbs import make_verb

make_verb(__name__, "playground.load.paced")
