/** Addresses and what they show. The trace list comes first; the other pages load when asked for. */

import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Link, Navigate, redirect } from "@tanstack/react-router";
import { Notice } from "@/components/basics";
import { fromSearch, readFilters, toSearch } from "@/core/filters";
import { Frame } from "@/features/frame";
import type { SpanTab } from "@/features/trace/span-pane";
import { TracesPage } from "@/features/traces/traces-page";

const root = createRootRoute({
  component: Frame,
  notFoundComponent: () => (
    <Notice title="There is no such page">
      <Link to="/traces" className="button">Go to the traces</Link>
    </Notice>
  ),
});

const overview = createRoute({
  getParentRoute: () => root,
  path: "/",
  validateSearch: readFilters,
  component: lazyRouteComponent(() => import("@/features/overview/overview-page"), "OverviewPage"),
});

const traces = createRoute({
  getParentRoute: () => root,
  path: "/traces",
  validateSearch: readFilters,
  component: TracesPage,
});

interface TraceSearch {
  span?: string;
  tab?: SpanTab;
}

const trace = createRoute({
  getParentRoute: () => root,
  path: "/traces/$traceId",
  validateSearch: (search: Record<string, unknown>): TraceSearch => {
    const { span, tab } = search;
    return {
      ...(typeof span === "string" && /^[0-9a-f]{16}$/.test(span) ? { span } : {}),
      ...(tab === "details" || tab === "raw" ? { tab } : {}),
    };
  },
  component: lazyRouteComponent(() => import("@/features/trace/trace-page"), "TracePage"),
});

const query = createRoute({
  getParentRoute: () => root,
  path: "/query",
  component: lazyRouteComponent(() => import("@/features/query/query-page"), "QueryPage"),
});

const login = createRoute({
  getParentRoute: () => root,
  path: "/login",
  // The frame shows the form in place of any page; whoever is past it has nothing to do here.
  component: () => <Navigate to="/" replace />,
});

const invite = createRoute({
  getParentRoute: () => root,
  path: "/invite",
  component: lazyRouteComponent(() => import("@/features/door/invite-page"), "InvitePage"),
});

const account = createRoute({
  getParentRoute: () => root,
  path: "/account",
  component: lazyRouteComponent(() => import("@/features/account/account-page"), "AccountPage"),
});

const settings = createRoute({
  getParentRoute: () => root,
  path: "/settings",
  component: lazyRouteComponent(() => import("@/features/settings/settings"), "Settings"),
});

const settingsStart = createRoute({
  getParentRoute: () => settings,
  path: "/",
  beforeLoad: () => redirect({ to: "/settings/keys", replace: true, throw: true }),
});

const keysPage = createRoute({
  getParentRoute: () => settings,
  path: "/keys",
  component: lazyRouteComponent(() => import("@/features/settings/keys-page"), "KeysPage"),
});

const members = createRoute({
  getParentRoute: () => settings,
  path: "/members",
  component: lazyRouteComponent(() => import("@/features/settings/members-page"), "MembersPage"),
});

export const router = createRouter({
  routeTree: root.addChildren([
    overview, traces, trace, query, login, invite, account, settings.addChildren([settingsStart, keysPage, members]),
  ]),
  parseSearch: fromSearch,
  stringifySearch: toSearch,
  defaultPreload: "intent",
  scrollRestoration: false,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
