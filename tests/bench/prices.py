"""List prices in us-east-1, in dollars, without free tiers. From the services' price pages, November 2026.

DynamoDB on demand (since November 2024), Lambda on arm64, CloudWatch Logs' first 10 TB, SQS, X-Ray.
"""

PER_WRU = 0.625e-6
PER_RRU = 0.125e-6
PER_INVOCATION = 0.20e-6
PER_GB_SECOND = 13.3334e-6
PER_LOG_BYTE = 0.50 / 2**30
PER_FIFO_REQUEST = 0.50e-6
PER_STANDARD_REQUEST = 0.40e-6
PER_TRACE = 5.00e-6
"""Active tracing records the first request of each second and 5 % of the rest."""

REQUESTS_PER_KICK = 3
"""A message is sent, received and deleted."""
MEMORY_MB = 256
FULL_CPU_MB = 1769
"""Lambda gives a whole processor at this size, and in proportion below."""
CALL_SECONDS = 0.005
"""Assumed for a call to DynamoDB or SQS from Lambda; not measured."""
PLATFORM_SECONDS = 0.2
"""Assumed for a call to a platform; not measured."""
