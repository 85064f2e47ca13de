"""The firmware room: render a plan and a board into a firmware project."""
