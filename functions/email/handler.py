from sportello.mailroom import mailroom

handler = mailroom()
