"""The platforms people write on: one module each, no AWS."""
