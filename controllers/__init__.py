"""The API's table of contents: which file serves which paths, by area."""

from controllers.auth_controller import auth_bp
from controllers.health_controller import health_bp
from controllers.problem_controller import problems_bp
from controllers.user_controller import users_bp

BLUEPRINTS = (
    # Who you are
    auth_bp,
    users_bp,
    # Plumbing
    health_bp,
    problems_bp,
)
