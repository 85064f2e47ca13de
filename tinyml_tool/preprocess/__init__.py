"""The preprocess room: one feature spec, and what of the C in firmware_templates it needs."""
