"""Langfuse's shapes of projects and health."""

from __future__ import annotations

from typing import Any, Literal

from watchkeeper.server.schemas import Model

__all__ = ["Health", "Organization", "Project", "ProjectList"]


class Organization(Model):
    """Who a project belongs to. A server of ours has one workspace, named like the project."""

    id: str
    name: str


class Project(Model):
    """A project; our projects have no other name than their id."""

    id: str
    name: str
    organization: Organization
    metadata: dict[str, Any] = {}


class ProjectList(Model):
    """The one project of the key."""

    data: list[Project]


class Health(Model):
    """The server answers; `version` is ours, not Langfuse's."""

    status: Literal["OK"] = "OK"
    version: str
