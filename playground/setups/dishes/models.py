"""Small models that read handwritten digits, trained on the spot and kept for the next server.

The pictures are the 1797 of scikit-learn's ``load_digits``: 8 × 8 pixels from 0 to 16.
"""

import functools
import threading
from collections.abc import Callable
from importlib import metadata, util
from pathlib import Path
from typing import Any

from playground.setups.dishes.keeping import kept

PIXELS = 64
DIGIT, PICTURE = 0, [  # the first of them
    *(0, 0, 5, 13, 9, 1, 0, 0),
    *(0, 0, 13, 15, 10, 15, 5, 0),
    *(0, 3, 15, 2, 0, 11, 8, 0),
    *(0, 4, 12, 0, 0, 8, 8, 0),
    *(0, 5, 8, 0, 0, 9, 8, 0),
    *(0, 4, 11, 0, 1, 12, 7, 0),
    *(0, 2, 14, 5, 10, 12, 0, 0),
    *(0, 0, 6, 13, 10, 0, 0, 0),
]  # fmt: skip

Classifier = Callable[[list[float]], int]
_LOADING = threading.Lock()


class NoModel(LookupError):
    """There is no such model here; the message says which there are, or how to get it."""


def classify(name: str, pixels: list[float]) -> int:
    """The digit that a model sees. Raises ``NoModel``."""
    return load(name)(pixels)


def load(name: str) -> Classifier:
    """The model of that name, loaded once in each process. Raises ``NoModel``."""
    with _LOADING:
        return _load(name)


@functools.cache
def _load(name: str) -> Classifier:
    if name not in MODELS:
        raise NoModel(f"There is no model {name!r}. There are: {', '.join(MODELS)}.")
    package, load, remedy = MODELS[name]
    if util.find_spec(package) is None:
        raise NoModel(f"{package} is not installed here: {remedy}")
    return load()


def _load_sklearn() -> Classifier:
    """A forest of 60 trees."""
    import joblib

    version = metadata.version("scikit-learn")  # another version need not read this one's files
    forest = joblib.load(kept(f"digits-forest-{version}.joblib", _train_sklearn))
    return lambda pixels: int(forest.predict([pixels])[0])


def _train_sklearn(path: Path) -> None:
    import joblib
    from sklearn.ensemble import RandomForestClassifier

    forest = RandomForestClassifier(n_estimators=60, random_state=0)
    joblib.dump(forest.fit(*_digits()), path)


def _load_torch() -> Classifier:
    """Two layers of neurons."""
    import torch

    network = _network()
    weights = kept(f"digits-network-{torch.__version__}.pt", _train_torch)
    network.load_state_dict(torch.load(weights, weights_only=True))
    network.eval()

    def classify(pixels: list[float]) -> int:
        with torch.inference_mode():
            picture = torch.tensor([pixels], dtype=torch.float32)
            return int(network(picture).argmax())

    return classify


def _train_torch(path: Path) -> None:
    import torch

    torch.manual_seed(0)
    pictures, digits = _digits()
    inputs, wanted = torch.tensor(pictures, dtype=torch.float32), torch.tensor(digits)
    network = _network()
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    for _ in range(100):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(network(inputs), wanted).backward()
        optimizer.step()
    torch.save(network.state_dict(), path)


def _network() -> Any:
    from torch import nn

    return nn.Sequential(nn.Linear(PIXELS, 64), nn.ReLU(), nn.Linear(64, 10))


def _load_tensorflow() -> Classifier:
    """The same two layers in Keras."""
    import tensorflow

    version = metadata.version("tensorflow")
    network = tensorflow.keras.models.load_model(
        kept(f"digits-network-{version}.keras", _train_tensorflow)
    )
    return lambda pixels: int(network(tensorflow.constant([pixels])).numpy().argmax())


def _train_tensorflow(path: Path) -> None:
    from tensorflow import keras

    keras.utils.set_random_seed(0)
    layers = [keras.Input((PIXELS,)), keras.layers.Dense(64, "relu"), keras.layers.Dense(10)]
    network = keras.Sequential(layers)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(keras.optimizers.Adam(0.01), loss)
    network.fit(*_digits(), batch_size=256, epochs=10, verbose=0)
    network.save(path)


def _digits() -> Any:
    from sklearn.datasets import load_digits

    return load_digits(return_X_y=True)


# What each needs, how it is loaded, and what to do where that is not installed.
MODELS: dict[str, tuple[str, Callable[[], Classifier], str]] = {
    "sklearn": ("sklearn", _load_sklearn, "run `pip install scikit-learn` in this environment."),
    "torch": ("torch", _load_torch, "run `make lab-torch` once (a large download)."),
    "tensorflow": (
        "tensorflow",
        _load_tensorflow,
        "run `make lab-tensorflow` once (a large download).",
    ),
}
