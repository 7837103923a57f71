"""Faults that servers and exports meet, made on purpose, and what became of the requests meanwhile.

process    the embedded server, watched from outside
known      requests of every kind and their answers
load       clients that send them
bench      what cases share
outcome    one line of the table
exports    an export that is killed, or has no room on its disk
versions   versions that are switched, broken or taken away
grammar    requests that are almost right
clients    clients that are slow or send nonsense
long       hours of requests in a few minutes: memory, two versions at once
clocks     clocks that jump
__main__   which cases, progress, the table
"""
