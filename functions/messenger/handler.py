from sportello.channels.messenger import Messenger
from sportello.entrypoints import webhook

handler = webhook(Messenger)
