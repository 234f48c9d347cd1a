from sportello.workers import notifier

handler = notifier()
