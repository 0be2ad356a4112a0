"""Column by column, put together in the end."""

NAMES = "a_list a_generator too_much only_the_head an_old_client breaks_off".split()
FRAMING = "length chunked length length none chunked".split()
CHUNKS = [0, 2, 0, 0, 0, 1]
BYTES = [len("soupcrème".encode())] * 2 + [6, 0, 10, 4]
WHOLE = [True] * 4 + [False] * 2

PREDICTION = {
    name: {"framing": framing, "chunks": chunks, "bytes": size, "whole": whole}
    for name, framing, chunks, size, whole in zip(NAMES, FRAMING, CHUNKS, BYTES, WHOLE, strict=True)
}
