from sportello.console import console

handler = console()
