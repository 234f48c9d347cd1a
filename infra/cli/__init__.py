"""The operator's command line: against the local desk, or against a deployed stack."""
