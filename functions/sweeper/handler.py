from sportello.workers import sweeper

handler = sweeper()
