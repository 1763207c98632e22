"""The log: one JSON object a line."""

import json
import logging
import time

log = logging.getLogger("serve")


class JsonLines(logging.Formatter):
    """One JSON object a line: the record's `fields` beside time, level and event."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {"time": f"{self.formatTime(record, '%Y-%m-%dT%H:%M:%S')}.{int(record.msecs):03}Z"}
        entry |= {"level": record.levelname.lower(), "event": record.getMessage()}
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry | getattr(record, "fields", {}))

    converter = staticmethod(time.gmtime)
