from sportello.webchat import site

handler = site()
