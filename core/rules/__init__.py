"""Rules over attributes: a tree of conditions, read strictly, compiled to a query, never run."""
