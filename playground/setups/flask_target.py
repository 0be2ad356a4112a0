"""What `flask run` imports: a Flask app that hands every request to the one that is traced."""

import os

from flask import Flask

from playground.setups.loading import Refused, load, load_app, reporting

with reporting():
    if not isinstance(load(os.environ["PLAYGROUND_APP"]), Flask):
        raise Refused(
            "`flask run` serves apps of Flask only: take one, such as flask-slow, or another"
            " set-up for WSGI."
        )

app = Flask(__name__)
app.wsgi_app = load_app()  # type: ignore[method-assign]
