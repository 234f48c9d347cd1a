from sportello.workers import consult

handler = consult()
