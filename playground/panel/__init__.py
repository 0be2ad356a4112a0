"""Every set-up, every workload, any load, by buttons: in a notebook, or as a page of its own.

The verb ``panel`` has the name of this package, which can be called, as the verb.
"""

from playground.verbs import make_verb

make_verb(__name__, "playground.panel.board")
