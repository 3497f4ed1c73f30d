"""The same job in other engines: the newest version of each fact per patient, state kept, one result per patient and record.

Each peer is a process `python job.py KAFKA PREFIX` in an environment of its own; it reads `PREFIXfact`, keeps its state as
it is meant to, writes to `PREFIXout`, and commits under the group `PREFIXgroup`. It knows nothing of medlist.
"""
