"""Errors as people and programs read them: RFC 9457 problem documents that say what, why and what to do."""

from __future__ import annotations

from fastapi.responses import JSONResponse


class Problem(Exception):
    """A request that cannot be answered. `title` says what happened, `detail` why, `remedy` what to do."""

    def __init__(self, status: int, title: str, detail: str, remedy: str) -> None:
        super().__init__(f"{title}: {detail} {remedy}")
        self.status, self.title, self.detail, self.remedy = status, title, detail, remedy

    def response(self, instance: str) -> JSONResponse:
        return JSONResponse(
            {
                "type": "about:blank",
                "title": self.title,
                "status": self.status,
                "detail": self.detail,
                "remedy": self.remedy,
                "instance": instance,
            },
            status_code=self.status,
            media_type="application/problem+json",
            headers={"WWW-Authenticate": "Bearer"} if self.status == 401 else None,
        )
