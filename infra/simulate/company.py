"""What the company's own system would say, as the scenario tells it."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from sportello.domain.events import OrderFacts
from sportello.domain.model import Model


def _text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Text = Annotated[str, Field(min_length=1), BeforeValidator(_text)]


class KnownCustomer(Model):
    id: Text
    """As the lines name them under ``from``, or a contact that the platform attests."""
    tier: str = ""


class KnownOrder(Model):
    number: Text
    status: str = Field(min_length=1)
    to: Text
    """Whose it is: the contact that the platform must attest (``attested``)."""
    expected: str = ""
    link: str = ""

    @property
    def facts(self) -> OrderFacts:
        return OrderFacts(number=self.number, status=self.status, expected=self.expected, link=self.link)


class Company(Model):
    """Empty: the desk has no such system."""

    customers: tuple[KnownCustomer, ...] = ()
    orders: tuple[KnownOrder, ...] = ()
    slow: bool = False
    """It does not answer in time."""

    @property
    def known(self) -> bool:
        return bool(self.customers or self.orders or self.slow)

    def tier(self, customer: str, attested: str) -> str | None:
        """None: nothing is known of them."""
        return next((one.tier for one in self.customers if one.id in (customer, attested)), None)
