# Read by the `flask` command: which application it means.
FLASK_APP=main:create_app
