"""The report room: evidence for terminals and machines."""
