from sportello.directory import directory

handler = directory()
