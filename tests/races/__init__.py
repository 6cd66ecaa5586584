"""Real threads, real commits. Each guard has a control: without it the same race goes wrong."""
