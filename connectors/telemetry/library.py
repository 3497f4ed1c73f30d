"""What libraries log through `logging`, made safe: which statement spoke and how loud, never what it was filled with.

A library's line is told by its place in the code, the classes and places of its exception, and its text only if that
text stands literally in the library's source: a constant of the function that logged it, or an upper-case constant of
its module. The arguments are always left out and counted.
"""

import logging
import re
import sys
from types import FrameType
from typing import Final

from connectors.telemetry.catalogue import LIBRARY_LOGGED
from connectors.telemetry.exceptions import describe
from connectors.telemetry.places import place_of, speaker

_FACILITY: Final = re.compile(r"[A-Z]{2,20}")  # librdkafka's own kind of event: FAIL, REQTMOUT, ...
_SERVICE_LABEL: Final = re.compile(r"^\[\^[^\]]*\]: ")  # mode puts the name of the service before the text


def describe_record(record: logging.LogRecord) -> dict[str, object]:
    """The trusted fields of a library's record; call it where the record is handled, on the stack that logged it."""
    told: dict[str, object] = {"event": LIBRARY_LOGGED, "level": logging.getLevelName(record.levelno).lower()}
    library = record.name.split(".")[0]
    if library in sys.modules:  # else the name may have been built from data
        told["logger"] = library
    frame = speaker()
    if frame is not None:
        told["place"] = place_of(frame)
        text = _literal(record.msg, frame)
        if text is not None:
            told["text"] = text
    arguments = record.args if isinstance(record.args, tuple) else (record.args,) if record.args else ()
    if record.name == "confluent_kafka" and arguments and _FACILITY.fullmatch(str(arguments[0])):
        told["facility"] = str(arguments[0])
    if arguments:
        told["dropped"] = len(arguments)
    if record.exc_info and record.exc_info[1] is not None:
        told |= describe(record.exc_info[1])
    return told


def _literal(message: object, frame: FrameType) -> str | None:
    if not isinstance(message, str):
        return None
    text = _SERVICE_LABEL.sub("", message)
    constants = {value for name, value in frame.f_globals.items() if name.isupper() and isinstance(value, str)}
    return text.strip() if text in frame.f_code.co_consts or text in constants else None
