from sportello.channels.sms import Sms
from sportello.entrypoints import webhook

handler = webhook(Sms)
