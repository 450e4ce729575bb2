"""Builders of the payloads that configuration profiles are made of; pure and deterministic."""
