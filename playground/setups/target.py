"""What every server of the catalogue imports: ``playground.setups.target:app``."""

from playground.setups.loading import load_app

app = load_app()
