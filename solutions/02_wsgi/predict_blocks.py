"""Predict: what does the client get from these six apps?"""

PREDICTION = {
    # A list is all there, so the server adds up its blocks. "è" is two bytes in UTF-8: 4 + 0 + 6.
    "a_list": {"framing": "length", "chunks": 0, "bytes": 10, "whole": True},
    # A generator has no length. The empty block is left out: an empty chunk would be the last one.
    "a_generator": {"framing": "chunked", "chunks": 2, "bytes": 10, "whole": True},
    # Six bytes were promised. What goes beyond is cut, or it would be read as the next response.
    "too_much": {"framing": "length", "chunks": 0, "bytes": 6, "whole": True},
    # The length of the body that GET would get, and no body. The response ends after its head.
    "only_the_head": {"framing": "length", "chunks": 0, "bytes": 0, "whole": True},
    # HTTP/1.0 knows no chunks. The connection ends, and the client cannot tell why.
    "an_old_client": {"framing": "none", "chunks": 0, "bytes": 10, "whole": False},
    # The head is gone, so no 500. The last chunk is missing, and so the client knows.
    "breaks_off": {"framing": "chunked", "chunks": 1, "bytes": 4, "whole": False},
}
