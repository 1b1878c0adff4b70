/** One's own account: where it is signed in, and its password. */

import { useState } from "react";
import { useEndSessions, usePasswordChange, useSessions, useSignOut, useWho } from "@/api/session";
import type { SessionRow } from "@/api/types";
import { Ago, Notice, Skeleton, useNow } from "@/components/basics";
import { Fault } from "@/components/dialog";
import { Failure } from "@/components/failure";
import { Password } from "@/components/form";
import { ListTable, type ListColumn } from "@/components/list-table";
import { agentWords, PASSWORD_HINT, PASSWORD_LEAST, roleName } from "@/core/people";

export function AccountPage() {
  const who = useWho();
  if (who.user === null) {
    return <Notice title="There is no account here">You came in {who.kind === "key" ? "with a key" : "from the server's own machine"}, without signing in.</Notice>;
  }
  return (
    <div className="scroll">
      <title>Your account · Watchkeeper</title>
      <div className="page people">
        <header className="people-head">
          <div className="grow">
            <h1>{who.user.name || who.user.email}</h1>
            <p className="muted">{who.user.email}</p>
          </div>
        </header>
        <section className="card">
          <header><h2>Projects</h2></header>
          <ul className="body plain-list">
            {who.projects.map((each) => <li key={each.id}><b>{each.id}</b> <span className="muted">{roleName(each.role).toLowerCase()}</span></li>)}
          </ul>
        </section>
        <Sessions />
        <PasswordForm />
      </div>
    </div>
  );
}

function Sessions() {
  const sessions = useSessions();
  const end = useEndSessions();
  const signOut = useSignOut();
  const now = useNow();
  const others = sessions.data?.items.filter((row) => !row.current) ?? [];
  const columns: ListColumn<SessionRow>[] = [
    {
      id: "agent", title: "Browser",
      cell: (row) => <span className="row wrap" title={row.agent}>{agentWords(row.agent)}{row.current && <span className="tag good">this one</span>}</span>,
    },
    { id: "since", title: "Signed in", cell: (row) => <Ago time={row.created_at} now={now} /> },
    { id: "seen", title: "Last seen", cell: (row) => <Ago time={row.last_seen_at} now={now} /> },
    {
      id: "acts", title: "End it", isActs: true,
      cell: (row) => row.current ? (
        <button type="button" className="button small" disabled={signOut.isPending} onClick={() => signOut.mutate()}>Sign out</button>
      ) : (
        <button type="button" className="button small" disabled={end.isPending} aria-label={`End the session of ${agentWords(row.agent)}`} onClick={() => end.mutate([row.id])}>End</button>
      ),
    },
  ];
  return (
    <section className="card">
      <header>
        <h2 className="grow">Signed in at</h2>
        {others.length > 1 && <button type="button" className="button small" disabled={end.isPending} onClick={() => end.mutate(others.map((row) => row.id))}>End all others</button>}
      </header>
      <Fault error={end.error} />
      {sessions.isError ? <Failure error={sessions.error} onRetry={() => void sessions.refetch()} /> : sessions.data === undefined ? <div className="body"><Skeleton height={60} /></div> : (
        <ListTable label="Sessions" rows={sessions.data.items} columns={columns} idOf={(row) => row.id} />
      )}
    </section>
  );
}

function PasswordForm() {
  const change = usePasswordChange();
  const [old, setOld] = useState("");
  const [next, setNext] = useState("");
  return (
    <section className="card">
      <header><h2>Password</h2></header>
      <form
        className="body stack narrow-form"
        onSubmit={(event) => {
          event.preventDefault();
          change.mutate({ old, next }, { onSuccess: () => { setOld(""); setNext(""); } });
        }}
      >
        <Password label="Current password" autoComplete="current-password" value={old} onValue={setOld} />
        <Password label="New password" autoComplete="new-password" value={next} onValue={setNext} minLength={PASSWORD_LEAST} hint={`${PASSWORD_HINT} Changing it ends every other session of yours.`} />
        <Fault error={change.error} />
        <div className="row">
          <button type="submit" className="button primary" disabled={change.isPending}>Change the password</button>
          {change.isSuccess && <span role="status" className="good">Changed. Your other sessions have ended.</span>}
        </div>
      </form>
    </section>
  );
}
