"""What the desk does, step by step; each module reads top to bottom."""
