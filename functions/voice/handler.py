from sportello.channels.voice import Voice
from sportello.entrypoints import webhook

handler = webhook(Voice)
