from sportello.workers import sender

handler = sender()
