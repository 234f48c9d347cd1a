from sportello.channels.line import Line
from sportello.entrypoints import webhook

handler = webhook(Line)
