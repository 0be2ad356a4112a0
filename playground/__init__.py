"""The playground: start a server, send it requests, and look at what happened."""
