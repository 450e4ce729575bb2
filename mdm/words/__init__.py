"""Sentences for what the rooms below store as codes: history actions, commands, reasons."""
