"""Where people of the desk are told: each module speaks one tool's protocol. No AWS."""
