"""Six lunches at the food truck: predict who is inside, and who is answered, before you look.

The guests come all at once, each over a connection of its own. Whoever is inside the app stays
there until everybody who can come in has come in. Then all who are inside leave together: that is
one round, and the next one begins. We count:

- inside: how many are inside the app together in the first round
- rounds: how many rounds it takes until all have been served
- answered: during the first round somebody asks for /health, which does nothing but answer. 1 if
  the answer comes while all the others are still inside, 0 if not
- order: see lunch F

Write a whole number for each None. A check runs every lunch for real, and shows the measurement
beside your prediction. Every server is one process with one loop: `minimal-asgi` is that of the
course, `uvicorn` is Uvicorn.
"""

PREDICTIONS = {
    # Lunch A: minimal-asgi, 50 guests. The app awaits the end of the round.
    "A inside": 50,
    "A rounds": 1,
    "A answered": 1,
    # Lunch B: minimal-asgi, 5 guests. The app is `async def`, and waits in a call that blocks.
    "B inside": 1,
    "B rounds": 5,
    "B answered": 0,
    # Lunch C: uvicorn and FastAPI, 100 guests. The endpoint is a plain `def`, and blocks. /health
    # is `async def`.
    "C inside": 40,
    "C rounds": 3,
    "C answered": 1,
    # Lunch D: as lunch C with 41 guests, but /health is a plain `def` as well.
    "D inside": 40,
    "D rounds": 2,
    "D answered": 0,
    # Lunch E: minimal-asgi, 8 guests. All share `places = asyncio.Semaphore(3)`, and the app is
    # `async with places: await asyncio.to_thread(a function that blocks)`.
    "E inside": 3,
    "E rounds": 3,
    "E answered": 1,
    # Lunch F: minimal-asgi, three guests. 1 is inside and awaits its dish. Then 2 comes in, and is
    # in a call that blocks. Then, in this order: 3 comes, and asks for /health; the dish of 1 is
    # ready; the call of 2 returns. In which order are they answered? Write 123 for 1, 2, 3.
    "F order": 213,
}
