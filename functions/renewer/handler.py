from sportello.workers import renewer

handler = renewer()
