"""What every answer tells a browser: do not guess, frame, leak or run any of this."""

from flask import Flask, Response, request

from config import settings

ALWAYS = (
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
)
POLICY = "Content-Security-Policy"
NOTHING = (POLICY, "default-src 'none'; frame-ancestors 'none'")
# swagger-ui brings its own scripts and styles, and writes some styles into the page.
PAGE = (
    POLICY,
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data:; font-src 'self' data:; connect-src 'self'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'",
)
ONLY_HTTPS = ("Strict-Transport-Security", "max-age=31536000; includeSubDomains")


def register_security_headers(app: Flask) -> None:
    @app.after_request
    def warn_browsers(response: Response) -> Response:
        response.headers.extend(ALWAYS)
        is_page = request.path.startswith("/docs")
        if POLICY not in response.headers:  # a picture has its own
            response.headers.add(*(PAGE if is_page else NOTHING))
        if settings.in_production and request.is_secure:
            response.headers.add(*ONLY_HTTPS)
        return response
