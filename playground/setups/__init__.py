"""Servers to look at: the catalogue, the apps they serve, and one way to start and stop them."""
