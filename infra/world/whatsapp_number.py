"""The business numbers of ours that exist at WhatsApp."""

from infra.world.model import PlatformAccount
from sportello.domain.model import Model


class TemplateForm(Model):
    """An approved message template; ``{{1}}``, ``{{2}}`` in the body are its parameters."""

    name: str
    language: str
    body: str = ""
    buttons: tuple[str, ...] = ()


class WhatsAppNumber(PlatformAccount):
    """``id`` is the phone number id."""

    waba_id: str
    token: str
    display_phone_number: str
    app_secret: str
    verified_name: str = "Service desk"
    templates: tuple[TemplateForm, ...] = ()
    override: str = ""
    """``override_callback_uri`` of the business account: it comes before the app's own address."""


LOCAL_NUMBER = WhatsAppNumber(
    id="100000000000001",
    waba_id="100000000000002",
    token="local-desk-token",  # noqa: S106 opens nothing
    display_phone_number="15550100100",
    app_secret="local-desk-app-secret",  # noqa: S106
)
