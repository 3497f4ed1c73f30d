"""Toward NLL as a controller: what the list asks for, what is there, the smallest set of writes between them.

``desired`` and ``plan`` are pure; ``execute`` sends. Nothing here knows Kafka.
"""
