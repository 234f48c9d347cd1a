from sportello.channels.instagram import Instagram
from sportello.entrypoints import webhook

handler = webhook(Instagram)
