"""`/api/v1/projects`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path

from watchkeeper.server.request import services
from watchkeeper.server.schemas import Model
from watchkeeper.store.factory import ControlStore

__all__ = ["router"]

router = APIRouter(tags=["projects"])

Control = Annotated[ControlStore, Depends(services(lambda parts: parts.control))]


class ProjectList(Model):
    """The ids of all projects, sorted."""

    items: list[str]


class ProjectMade(Model):
    """A project that is there now; whether this call made it."""

    id: str
    created: bool


@router.get("/projects")
def list_projects(control: Control) -> ProjectList:
    """List every project; for who runs the server."""
    return ProjectList(items=list(control.projects()))


@router.put("/projects/{project_id}")
def ensure_project(control: Control, project_id: Annotated[str, Path(max_length=200)]) -> ProjectMade:
    """Make a project where it is missing; for who runs the server."""
    return ProjectMade(id=project_id, created=control.ensure_project(project_id))
