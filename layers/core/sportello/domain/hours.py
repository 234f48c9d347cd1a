"""Opening hours."""


class Calendar:
    def __init__(self, rules: str, zone: str, country: str = "") -> None: ...
