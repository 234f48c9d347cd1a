from sportello.channels.apple import Apple
from sportello.entrypoints import webhook

handler = webhook(Apple)
