"""What a message to a customer may carry besides its text."""

from sportello.domain.model import Model


class Button(Model):
    id: str
    title: str


class Template(Model):
    """A message form approved by the platform, allowed outside the window."""

    name: str
    language: str
    values: tuple[str, ...] = ()
