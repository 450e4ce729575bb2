"""Push services of others that carry our reminders."""
