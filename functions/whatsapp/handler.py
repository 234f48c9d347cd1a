from sportello.channels.whatsapp import WhatsApp
from sportello.entrypoints import webhook

handler = webhook(WhatsApp)
