from sportello.channels.telegram import Telegram
from sportello.entrypoints import webhook

handler = webhook(Telegram)
