"""`/api/public/projects` and `/api/public/health`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from watchkeeper.server.langfuse.projects.schemas import Health, Organization, Project, ProjectList
from watchkeeper.server.request import project
from watchkeeper.server.version import version

__all__ = ["router"]

router = APIRouter()


@router.get("/health")
def health() -> Health:
    """Say that the server answers."""
    return Health(version=version())


@router.get("/projects")
def list_projects(project_id: Annotated[str, Depends(project)]) -> ProjectList:
    """Name the project that the key decides: what `auth_check` asks for."""
    owner = Organization(id=project_id, name=project_id)
    return ProjectList(data=[Project(id=project_id, name=project_id, organization=owner)])
