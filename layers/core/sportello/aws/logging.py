"""One logger for all functions: JSON lines with ids and reason codes, never words, names or numbers.

Without ``location`` and injected context a line is 157 bytes instead of 459.
"""

from aws_lambda_powertools import Logger

logger = Logger(location=None, utc=True, use_rfc3339=True, log_record_order=["message"])
