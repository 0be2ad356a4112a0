"""Round after round over those who are left; the results collect in a dictionary."""


def run(generators):
    everybody = list(generators)
    results = {}
    active = everybody
    while active:
        active = [generator for generator in active if goes_on(generator, results)]
    return [results[generator] for generator in everybody]


def goes_on(generator, results):
    try:
        generator.send(None)
    except StopIteration as end:
        results[generator] = end.value
        return False
    except Exception as error:
        results[generator] = error
        return False
    return True
