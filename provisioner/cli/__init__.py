"""The command line: click commands, and rendering as functions from values to strings."""
