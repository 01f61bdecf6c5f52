"""Explanations over HTTP: one address for each assessment, for programs and for people."""

from __future__ import annotations

from typing import Literal

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse

from serving import dossiers
from serving.dossier_forms import as_json, as_page, as_text
from serving.house import House
from serving.problems import Problem
from serving.visitor import SignedIn
from serving.web import reader_of


def add_explanations(app: FastAPI, house: House) -> None:
    @app.get("/v1/assessments/{id}/explanation")
    def explanation(
        request: Request,
        who: SignedIn,
        id: str,
        audience: Literal["officer", "oversight", "person"] = "officer",
        lang: Literal["ar", "fr", "en"] | None = None,
        form: Literal["json", "text", "page"] = "json",
    ) -> Response:
        """Why one assessment is what it is, for an officer, for oversight (the whole dossier) or for the person.

        `form` is JSON, plain text, or a page to print. That it was asked for is written in the journal.
        """
        code = reader_of(request, lang).code
        try:
            told = dossiers.explanation(house, who.actor, id, audience, code, form=form)
        except dossiers.Unknown as unknown:
            raise Problem(404, "No such assessment", str(unknown), "Look the id up in /v1/assessments.") from None
        except dossiers.Unseen as unseen:
            raise Problem(409, "The case is blind", str(unseen), "Ask again when the finding is recorded.") from None
        match form:
            case "text":
                return PlainTextResponse(as_text(told))
            case "page":
                return HTMLResponse(as_page(told, alone=False))
            case _:
                return JSONResponse(as_json(told))
