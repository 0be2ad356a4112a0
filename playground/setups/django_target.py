"""The settings with which `runserver` starts: a Django project's own, and its app is traced."""

import importlib
import os

from playground.setups.loading import Refused, reporting

with reporting():
    project = importlib.import_module(os.environ["PLAYGROUND_APP"].partition(":")[0])
    if not hasattr(project, "ROOT_URLCONF"):
        raise Refused(
            "`runserver` serves Django projects only: name an app in a module that has the"
            " project's settings too, such as django-slow, or take another set-up for WSGI."
        )
globals().update({name: getattr(project, name) for name in dir(project) if name.isupper()})

WSGI_APPLICATION = "playground.setups.target.app"
