from sportello.workers import media

handler = media()
