"""`/api/public/v2/prompts`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request

from watchkeeper.kit.errors import NotFoundError, NotServedError, RequestError
from watchkeeper.server.gate import Caller
from watchkeeper.server.langfuse.prompts.schemas import LabelsIn, PromptIn, PromptList, PromptMeta, PromptOut
from watchkeeper.server.langfuse.shapes import Limit, Meta, PageNumber, not_served
from watchkeeper.server.request import caller, project, services
from watchkeeper.store.prompts import PRODUCTION, NewPrompt, PromptStore

__all__ = ["router"]

router = APIRouter(prefix="/v2/prompts")

Project = Annotated[str, Depends(project)]
Prompts = Annotated[PromptStore, Depends(services(lambda parts: parts.control.prompts))]
Text = Annotated[str | None, Query(max_length=500)]
Number = Annotated[int | None, Query(ge=1, lt=2**31)]

_REFERENCE = "@@@langfusePrompt:"


@router.get("")
def list_prompts(  # noqa: PLR0917 - FastAPI reads query parameters from the signature
    request: Request, project: Project, prompts: Prompts, name: Text = None, label: Text = None, tag: Text = None,
    page: PageNumber = 1, limit: Limit = 50,
) -> PromptList:  # fmt: skip
    """List prompts by name."""
    for parameter in ("filter", "fromUpdatedAt", "toUpdatedAt"):
        if parameter in request.query_params:
            raise not_served(request, parameter)
    found, total = prompts.entries(project, name=name, label=label, tag=tag, offset=(page - 1) * limit, limit=limit)
    return PromptList(data=[PromptMeta.of(one) for one in found], meta=Meta.of(page, limit, total))


@router.post("", status_code=201)
def add_prompt(
    project: Project, prompts: Prompts, who: Annotated[Caller, Depends(caller)], given: PromptIn
) -> PromptOut:
    """Add a version; 201 means it is durable."""
    texts = [given.prompt] if isinstance(given.prompt, str) else [str(one.get("content")) for one in given.prompt]
    if any(_REFERENCE in text for text in texts):
        raise NotServedError("a prompt that refers to another one is not served", hint="see docs/langfuse.md")
    new = NewPrompt(
        name=given.name, type=given.type or ("text" if isinstance(given.prompt, str) else "chat"),
        content=given.prompt, config=given.config, labels=tuple(given.labels or ()),
        tags=None if given.tags is None else tuple(given.tags), message=given.commit_message,
        created_by=who.user_id or who.name,
    )  # fmt: skip
    return PromptOut.of(prompts.add(project, new))


@router.get("/{name:path}")
def get_prompt(project: Project, prompts: Prompts, name: str, version: Number = None, label: Text = None) -> PromptOut:
    """Return a version by its number or a label, else the one that `production` is on."""
    _not_both(version, label)
    found = prompts.find(project, name, version=version, label=label)
    if found is None:
        told = f"version {version}" if version is not None else f"label '{label or PRODUCTION}'"
        raise NotFoundError(f"Prompt not found: '{name}' with {told}")
    return PromptOut.of(found)


@router.patch("/{name:path}/versions/{version}")
def set_labels(
    project: Project, prompts: Prompts, name: str, version: Annotated[int, Path(ge=1, lt=2**31)], given: LabelsIn
) -> PromptOut:
    """Move labels to a version."""
    return PromptOut.of(prompts.set_labels(project, name, version, tuple(given.new_labels)))


@router.delete("/{name:path}", status_code=204)
def delete_prompt(project: Project, prompts: Prompts, name: str, version: Number = None, label: Text = None) -> None:
    """Delete a prompt, or one version of it."""
    _not_both(version, label)
    prompts.delete(project, name, version=version, label=label)


def _not_both(version: int | None, label: str | None) -> None:
    if version is not None and label is not None:
        raise RequestError("a version or a label is asked for, not both")
