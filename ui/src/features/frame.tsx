import { Outlet, useLocation } from "@tanstack/react-router";
import { Fragment, useState } from "react";
import { ApiError } from "@/api/client";
import { useProject } from "@/api/project";
import { useStatus } from "@/api/queries";
import { useSession } from "@/api/session";
import type { Session } from "@/api/types";
import { Failure } from "@/components/failure";
import { KeysHelp } from "@/components/keys-help";
import { Shell } from "@/components/shell";
import { useKeys } from "@/components/use-keys";
import { compact } from "@/core/format";
import { AccountMenu } from "@/features/account/account-menu";
import { ProjectPick } from "@/features/account/project-pick";
import { Door } from "@/features/door/door";
import { LoginPage } from "@/features/door/login-page";

/** Decides by the session what there is to see: the page asked for, or the way in. */
export function Frame() {
  const session = useSession();
  const path = useLocation({ select: (location) => location.pathname });
  if (path === "/invite") return <Outlet />;
  if (session.data === undefined) {
    if (!session.isError) return <div className="app" aria-busy="true" />;
    return (
      <Door title="Watchkeeper">
        <Failure error={session.error} onRetry={() => void session.refetch()} />
      </Door>
    );
  }
  return session.data.can_read ? <Inside session={session.data} /> : <LoginPage session={session.data} />;
}

/** The shell with the server's state in it. */
function Inside({ session }: { session: Session }) {
  const status = useStatus();
  const project = useProject();
  const [helpOpen, setHelpOpen] = useState(false);
  useKeys({ "?": () => setHelpOpen(true) });
  // A refusal is the session's matter and is looked into there.
  const isGone = status.isError && !(status.error instanceof ApiError && status.error.status < 500);
  const state = isGone ? (
    <span className="row"><span className="dot error" /> <span className="hide-narrow">disconnected</span></span>
  ) : status.data === undefined ? null : (
    <span className="row" title={`Watchkeeper ${status.data.version} at ${status.data.endpoint}`}>
      <span className="dot" />
      <span><span data-testid="span-count">{compact(status.data.project_spans)}</span> <span className="hide-narrow">spans</span></span>
    </span>
  );
  const banner = isGone ? (
    <div className="banner" role="alert">
      <span className="grow">{status.error.message} What you see may be old; it is tried again every two seconds.</span>
      <button type="button" className="button small" onClick={() => void status.refetch()}>Retry now</button>
    </div>
  ) : null;
  return (
    <Shell end={<>{state}<ProjectPick session={session} /></>} last={<AccountMenu session={session} />} banner={banner} isAdmin={session.scopes.includes("admin")}>
      <Fragment key={project}>
        <Outlet />
      </Fragment>
      <KeysHelp isOpen={helpOpen} onClose={() => setHelpOpen(false)} />
    </Shell>
  );
}
