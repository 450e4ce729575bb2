"""Apple's device management messages as plain Python: reading, checking, writing; no I/O."""
