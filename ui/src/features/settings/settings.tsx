/** `/settings`: what admins of a project look after. */

import { Link, Outlet } from "@tanstack/react-router";
import { useWho } from "@/api/session";
import { Notice } from "@/components/basics";
import { roleName } from "@/core/people";

export function Settings() {
  const who = useWho();
  if (!who.scopes.includes("admin")) return <NotYours />;
  return (
    <div className="scroll">
      <div className="page people">
        <nav className="subnav" aria-label="Settings">
          <Link to="/settings/keys">Keys</Link>
          <Link to="/settings/members">Members</Link>
        </nav>
        <Outlet />
      </div>
    </div>
  );
}

function NotYours() {
  const who = useWho();
  return (
    <Notice icon="warning" title="This page is for admins of the project">
      <p>Your role in {who.project ?? "this project"} is {roleName(who.role).toLowerCase()}. Ask an admin of it for a key, or to invite someone.</p>
      <Link to="/traces" className="button">Go to the traces</Link>
    </Notice>
  );
}
