"""The wire: what comes in, what goes out. Shape only; no queries."""
