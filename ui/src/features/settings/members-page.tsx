/** `/settings/members`: who may sign in to the project, and who is invited. */

import { useState } from "react";
import { useInvitations, useMemberReset, useMembers, useRoleChange, useWithdraw } from "@/api/people";
import { useWho } from "@/api/session";
import type { Invitation, Member, Role } from "@/api/types";
import { Ago, Skeleton, useNow } from "@/components/basics";
import { Fault } from "@/components/dialog";
import { Failure } from "@/components/failure";
import { Icon } from "@/components/icons";
import { ListTable, type ListColumn } from "@/components/list-table";
import { roleName, ROLES } from "@/core/people";
import { ahead, exact } from "@/core/time";
import { InviteDialog, LinkDialog, RemoveDialog, type Made } from "./member-dialogs";

type Open = { what: "invite" } | { what: "remove"; member: Member } | { what: "link"; made: Made } | null;

export function MembersPage() {
  const who = useWho();
  const [open, setOpen] = useState<Open>(null);
  const close = (): void => setOpen(null);
  const isFirst = !who.has_users;
  return (
    <>
      <title>Members · Watchkeeper</title>
      <header className="people-head">
        <div className="grow">
          <h1>Members of {who.project ?? "the project"}</h1>
          <p className="muted">People who sign in with an account. Apps use <b>keys</b> instead.</p>
        </div>
        <button type="button" className="button primary" onClick={() => setOpen({ what: "invite" })}><Icon name="plus" />Invite</button>
      </header>
      {isFirst && (
        <section className="card first-user">
          <div className="body">
            <h2>Nobody has an account yet</h2>
            <p>So far, being on this machine is enough to see everything, and nothing is shown to anyone elsewhere.</p>
            <p>Invite yourself first, as an admin. <b>Once an invitation is accepted, reading needs a login, on this machine too.</b></p>
          </div>
        </section>
      )}
      {!isFirst && <MemberList onRemove={(member) => setOpen({ what: "remove", member })} onLink={(made) => setOpen({ what: "link", made })} />}
      <InvitationList />
      <section className="card">
        <header><h2>What each role may do</h2></header>
        <dl className="body roles">
          {ROLES.map((role) => <div key={role.id}><dt>{role.name}</dt><dd className="muted">{role.meaning}</dd></div>)}
        </dl>
      </section>
      {open?.what === "invite" && <InviteDialog isFirst={isFirst} onClose={close} onMade={(made) => setOpen({ what: "link", made })} />}
      {open?.what === "link" && <LinkDialog made={open.made} onClose={close} />}
      {open?.what === "remove" && <RemoveDialog member={open.member} isSelf={open.member.user_id === who.user?.id} onClose={close} />}
    </>
  );
}

function MemberList({ onRemove, onLink }: { onRemove: (member: Member) => void; onLink: (made: Made) => void }) {
  const who = useWho();
  const members = useMembers();
  const change = useRoleChange();
  const reset = useMemberReset();
  const now = useNow();
  const columns: ListColumn<Member>[] = [
    {
      id: "who", title: "Who",
      cell: (member) => (
        <span className="who">
          <span className="row tight"><b className="clip" dir="auto">{member.name || member.email}</b>{member.user_id === who.user?.id && <span className="tag">you</span>}{member.disabled && <span className="tag bad">disabled</span>}</span>
          <span className="muted clip">{member.email}</span>
        </span>
      ),
    },
    {
      id: "role", title: "Role",
      cell: (member) => (
        <span className="pick">
          <select aria-label={`Role of ${member.email}`} value={member.role} disabled={change.isPending} onChange={(event) => change.mutate({ userId: member.user_id, role: event.target.value as Role })}>
            {ROLES.map((role) => <option key={role.id} value={role.id}>{role.name}</option>)}
          </select>
          <Icon name="down" />
        </span>
      ),
    },
    { id: "since", title: "Since", cell: (member) => <Ago time={member.since} now={now} /> },
    {
      id: "acts", title: "Reset or remove", isActs: true,
      cell: (member) => (
        <>
          <button type="button" className="button small" disabled={reset.isPending} aria-label={`Reset password of ${member.email}`} onClick={() => reset.mutate(member.user_id, { onSuccess: (made) => onLink({ ...made, kind: "reset" }) })}>Reset password</button>
          <button type="button" className="button small" aria-label={`Remove ${member.email}`} onClick={() => onRemove(member)}>Remove</button>
        </>
      ),
    },
  ];
  return (
    <section className="card">
      <Fault error={change.error ?? reset.error} />
      {members.isError ? <Failure error={members.error} onRetry={() => void members.refetch()} /> : members.data === undefined ? <div className="body"><Skeleton height={70} /></div> : members.data.length === 0 ? (
        <p className="body none muted">No members yet.</p>
      ) : (
        <ListTable label="Members" rows={members.data} columns={columns} idOf={(member) => member.user_id} isDim={(member) => member.disabled} />
      )}
    </section>
  );
}

function InvitationList() {
  const invitations = useInvitations();
  const withdraw = useWithdraw();
  const now = useNow();
  if (invitations.isError) return <section className="card"><Failure error={invitations.error} onRetry={() => void invitations.refetch()} /></section>;
  if (invitations.data === undefined || (invitations.data.length === 0 && !withdraw.isError)) return null;
  const columns: ListColumn<Invitation>[] = [
    { id: "email", title: "For", cell: (each) => <b className="clip">{each.email}</b> },
    { id: "kind", title: "What", cell: (each) => each.kind === "reset" ? "password reset" : `invitation, ${roleName(each.role).toLowerCase()}` },
    { id: "by", title: "Made", cell: (each) => <span className="who"><Ago time={each.created_at} now={now} /><span className="muted clip" title={each.created_by}>by {each.created_by}</span></span> },
    { id: "until", title: "Expires", cell: (each) => <time dateTime={each.expires_at} title={exact(each.expires_at)}>{ahead(each.expires_at, now)}</time> },
    {
      id: "acts", title: "Withdraw", isActs: true,
      cell: (each) => <button type="button" className="button small" disabled={withdraw.isPending} aria-label={`Withdraw the link for ${each.email}`} onClick={() => withdraw.mutate(each.id)}>Withdraw</button>,
    },
  ];
  return (
    <section className="card">
      <header><h2>Open links</h2><span className="muted">handed out, not used yet</span></header>
      <Fault error={withdraw.error} />
      <ListTable label="Open links" rows={invitations.data} columns={columns} idOf={(each) => each.id} />
    </section>
  );
}
