import { Link } from "@tanstack/react-router";
import { useRef } from "react";
import { useSignOut } from "@/api/session";
import type { Session } from "@/api/types";
import { Icon } from "@/components/icons";
import { roleName } from "@/core/people";
import { ProjectPick } from "./project-pick";

const ID = "account-menu";

/** Who is here, and where their things are. */
export function AccountMenu({ session }: { session: Session }) {
  const signOut = useSignOut();
  const box = useRef<HTMLDivElement>(null);
  const close = (): void => box.current?.hidePopover();
  const who = session.user?.name || session.user?.email || (session.kind === "local" ? "This machine" : session.name);
  const isAdmin = session.scopes.includes("admin");
  return (
    <>
      <button type="button" className="button quiet square" popoverTarget={ID} aria-label={`Account: ${who}`} title={who}>
        <Icon name="person" />
      </button>
      <div className="menu" id={ID} ref={box} popover="auto">
        <div className="menu-head">
          <b className="clip">{who}</b>
          {session.user !== null && session.user.email !== who && <span className="muted clip">{session.user.email}</span>}
          <span className="muted">
            {session.kind === "local" ? "The server's own machine needs no login yet" : `${roleName(session.role)} of ${session.project ?? "no project"}`}
          </span>
          <ProjectPick session={session} isInMenu />
        </div>
        <nav aria-label="Account">
          {session.user !== null && <Link to="/account" onClick={close}>Your account</Link>}
          {isAdmin && <Link to="/settings/keys" onClick={close}>Keys</Link>}
          {isAdmin && <Link to="/settings/members" onClick={close}>Members</Link>}
          {session.kind === "session" && (
            <button type="button" disabled={signOut.isPending} onClick={() => signOut.mutate()}>Sign out</button>
          )}
        </nav>
      </div>
    </>
  );
}
