"""/problems: what each refusal means."""

import inspect
from typing import Any

from schemas.problem_schema import ProblemListSchema, ProblemTypeSchema
from utils.errors import NotFound, every_problem
from utils.http import Blueprint

problems_bp = Blueprint("problems", __name__, url_prefix="/problems", description=__doc__)


@problems_bp.get("/")
@problems_bp.response(200, ProblemListSchema())
def list_problems() -> dict[str, Any]:
    """Every refusal that this API knows."""
    return {"problems": catalogue()}


@problems_bp.get("/<string:code>")
@problems_bp.response(200, ProblemTypeSchema())
def show_problem(code: str) -> dict[str, Any]:
    """One refusal: its status, when it comes, and what to do."""
    for known in catalogue():
        if known["code"] == code:
            return known
    raise NotFound("There is no problem with this code.")


def catalogue() -> list[dict[str, Any]]:
    """The refusals by code, described by the sentences beside the code that raises them."""
    known = {
        error.code: {
            "type": f"/problems/{error.code}",
            "code": error.code,
            "status": int(error.status),
            "title": error.title,
            "description": inspect.cleandoc(error.__doc__ or ""),
        }
        for error in every_problem()
    }
    return [known[code] for code in sorted(known)]
