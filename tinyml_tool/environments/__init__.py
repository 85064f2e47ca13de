"""Python environments for heavy libraries that never enter the process of the tool."""
