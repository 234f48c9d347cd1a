"""What the desk knows and decides: pure, no AWS, no network, no clock of its own."""
