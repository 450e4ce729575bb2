"""The start-up wizard: from an empty organisation to the first invited person."""
