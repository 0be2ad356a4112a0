"""Five evenings at the food trucks: predicted."""

LIMIT, PARTIES = 3, 5
IN = LIMIT - 1

PREDICTIONS = {
    "A inside": IN,
    "A refused": PARTIES - IN,
    "B workers": max(1, 2 + 1 - 3),
    "C lost": 3,
    "C inside": 2,
    "D inside": 4,
    "D served": 4,
    "D processes": 0,
    "E import": 1,
    "E lifespan": 3,
    "E lifespan, two workers": 0,
}
