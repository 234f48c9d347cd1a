from sportello.channels.x import X
from sportello.entrypoints import webhook

handler = webhook(X)
