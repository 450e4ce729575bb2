"""The commands that Apple devices know: one module for each, found through the registry."""
