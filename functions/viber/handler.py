from sportello.channels.viber import Viber
from sportello.entrypoints import webhook

handler = webhook(Viber)
