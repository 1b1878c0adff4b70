/** The API's shapes under the names the pages use; generated from the committed `openapi.json`. */

import type { components } from "./generated";

type Shapes = components["schemas"];

export type TraceRow = Shapes["TraceOut"];
export type SpanRow = Shapes["SpanOut"];
export type Score = Shapes["ScoreOut"];
export type TracePage = Shapes["TracePage"];
export type TraceDetail = Shapes["TraceDetail"];
export type SpanDetail = Shapes["SpanDetail"];
export type Usage = Shapes["UsageOut"];
export type Cost = Shapes["CostOut"];
export type Content = Shapes["ContentOut"];
export type Message = Shapes["MessageOut"];
export type Document = Shapes["DocumentOut"];
export type Overview = Shapes["OverviewOut"];
export type ModelRow = Shapes["ModelRowOut"];
export type Facets = Shapes["FacetsOut"];
export type Status = Shapes["StatusOut"];
export type QueryAnswer = Shapes["QueryOut"];

/** One piece of a message; `type` says which of the other fields are there. */
export type Part = Record<string, unknown>;

export type Scope = "ingest" | "read" | "admin";
export type Role = "viewer" | "member" | "admin";

export type Session = Shapes["SessionOut"];
export type SignIn = Shapes["SessionIn"];
export type SessionRow = Shapes["SignedInOut"];
export type Link = Shapes["LinkOut"];
export type Member = Shapes["MemberOut"];
export type Invitation = Shapes["InvitationOut"];
export type InvitationMade = Shapes["InvitationMade"];
export type Key = Shapes["KeyOut"];
export type KeyMade = Shapes["KeyMade"];
