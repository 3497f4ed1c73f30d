"""The topology: what runs between the topics. Faust drives the reconciler here and is known nowhere else.

The engine (this folder without intake and publisher) knows nothing of medicine: it runs a pure `core.Core` per partition
of the fact topic and keeps one promise, that every record is applied exactly once to the state that is stored. Five parts
make the promise, and a test fails without each of them:

1. `position`: where to go on is stored in the state topic, in the same transaction as the rows it explains.
2. `rebalance`, `writer`, `restore`: fence every older owner first, read the state back only then.
3. `seek`: every seek that faust makes "to committed" goes to our position; the group's offset is a hint that nobody reads.
4. `contiguity`, `verify`: a record is applied only at exactly our position; a gap, or a log that is not the one we know, stops.
5. `watchdog`: input that waits while our position stands still ends the process.

Anything unforeseen ends the process (`failstop`); a supervisor starts it again and it seeks to its position.
"""
