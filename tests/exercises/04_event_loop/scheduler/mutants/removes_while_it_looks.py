# Removes from the list over which it goes, so the neighbour misses its turn.
# Message: came back turns: soup 1, tea 1, stew 1, soup 2, stew 2, tea 2
# Message: why who has yielded goes behind all others


def run(generators):
    everybody = list(generators)
    results = {}
    active = list(everybody)
    while active:
        for generator in active:
            try:
                next(generator)
            except StopIteration as end:
                results[generator] = end.value
                active.remove(generator)
            except Exception as error:
                results[generator] = error
                active.remove(generator)
    return [results[generator] for generator in everybody]
