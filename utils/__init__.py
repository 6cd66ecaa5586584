"""Small and domain-free: what any Flask project on PostgreSQL could use."""
