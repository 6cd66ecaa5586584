"""The rules: modules of verbs. Transactions live here; Flask and marshmallow do not."""
