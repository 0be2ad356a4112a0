"""The instructor's side: a board for the projector, and how learners' checks come to it.

The board (`playground classroom`) and the learners (`playground join`) are different processes,
mostly on different machines; they share the form of their messages (`messages`) and nothing else.

    board     run, app, room, store, going, frame, guesses, guarding, drawing, page/
    learner   membership, reporting, sharing, live, last_run
"""

PORT = 8770  # of the board, if nobody says otherwise
