"""What the company's own system says of a customer, and what the customer has told.

Webhooks do without these: they are read by the consult worker, the notifier and the command line.
"""

from collections.abc import Mapping

from sportello.domain.events import OrderFacts
from sportello.domain.model import Instant, Model


class CustomerFacts(Model):
    """Shown to people of the desk; only ``tier`` reaches a decision."""

    tier: str = ""
    name: str = ""
    since: str = ""
    notes: str = ""


class ToldOrder(OrderFacts):
    """An order that was shown to be this customer's, as it stood when the company was asked."""

    proof: str
    """Hash of its number and of the contact that proved it: it answers for no other."""
    at: Instant


class Facts(Model):
    """Of one thread."""

    customer: CustomerFacts = CustomerFacts()
    asked: Instant = 0
    """When the company said this; 0: it was never asked, or had nothing to say."""
    contact: str = ""
    """Hash of the contact with which it was asked."""
    orders: tuple[ToldOrder, ...] = ()
    """The newest first."""
    fields: Mapping[str, str] = {}
    """What the customer has told, by the name of the question."""
