from sportello.channels.wechat import WeChat
from sportello.entrypoints import webhook

handler = webhook(WeChat)
