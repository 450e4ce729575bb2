"""What is wrong with this installation, in plain words, with a remedy for each."""
