# Takes a list for granted: goes through the iterable twice.
# Message: called run(a generator that yields [soup, tea])
# Message: why `generators` is an Iterable


def run(generators):
    results = {}
    for number, generator in enumerate(generators):
        results[number] = None
    active = dict(enumerate(generators))
    while active:
        for number, generator in list(active.items()):
            try:
                next(generator)
            except StopIteration as end:
                results[number] = end.value
                del active[number]
            except Exception as error:
                results[number] = error
                del active[number]
    return [results[number] for number in sorted(results)]
