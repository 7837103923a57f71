"""Ids and soft tokens -> packed rows."""
