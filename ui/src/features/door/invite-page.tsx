/** `/invite#TOKEN`: the way in. The token is taken out of the address at once and lives in this page alone. */

import { useQuery } from "@tanstack/react-query";
import { Link, useLocation, useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { ApiError, people } from "@/api/client";
import { useAcceptLink, useSession } from "@/api/session";
import type { Link as LinkFacts } from "@/api/types";
import { Skeleton } from "@/components/basics";
import { Fault } from "@/components/dialog";
import { Field, Password } from "@/components/form";
import { PASSWORD_HINT, PASSWORD_LEAST, roleName, tokenOf } from "@/core/people";
import { Door } from "./door";

export function InvitePage() {
  const hash = useLocation({ select: (location) => location.hash });
  const navigate = useNavigate();
  const [token, setToken] = useState<string | null>(null);
  const found = tokenOf(hash);
  if (found !== null && found !== token) setToken(found);
  useEffect(() => {
    if (found !== null) void navigate({ to: "/invite", hash: "", replace: true });
  }, [found, navigate]);
  if (token === null && found === null) return <Lost title="Open your link again" text="This page forgets the link it was opened with. Open the link that you were sent once more." />;
  return token === null ? <Waiting /> : <Opened key={token} token={token} />;
}

function Opened({ token }: { token: string }) {
  const link = useQuery({ queryKey: ["link", token], queryFn: () => people.openLink(token), staleTime: Infinity, gcTime: 0 });
  if (link.isError) {
    if (link.error instanceof ApiError && link.error.status === 404) {
      return <Lost title="This link works no more" text="It was used already, was withdrawn, or has expired. Ask whoever sent it for a new one." />;
    }
    return (
      <Door title="Your link could not be opened">
        <Fault error={link.error} />
        <button type="button" className="button big" onClick={() => void link.refetch()}>Try again</button>
      </Door>
    );
  }
  return link.data === undefined ? <Waiting /> : <Accept token={token} link={link.data} />;
}

function Waiting() {
  return <Door title="Opening your link…"><Skeleton height={90} /></Door>;
}

function Lost({ title, text }: { title: string; text: string }) {
  return (
    <Door title={title}>
      <p>{text}</p>
      <Link className="button big" to="/">Go to the start page</Link>
    </Door>
  );
}

function Accept({ token, link }: { token: string; link: LinkFacts }) {
  const accept = useAcceptLink();
  const navigate = useNavigate();
  const here = useSession().data?.user;
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const isNew = !link.has_account;
  const isReset = link.kind === "reset";
  const title = isReset ? "Choose a new password" : isNew ? "Make your account" : `Join ${link.project}`;
  const act = isReset ? "Set the password" : isNew ? "Make the account" : "Join";
  return (
    <Door title={title}>
      {!isReset && (
        <p>
          You are invited to <b>{link.project}</b> as <b>{roleName(link.role).toLowerCase()}</b>
          {isNew ? "." : ". You have an account already: its password is enough."}
        </p>
      )}
      {here !== undefined && here !== null && here.email !== link.email && (
        <p className="muted">You are signed in here as {here.email}. Going on signs you in as {link.email} instead.</p>
      )}
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          const given = isNew && !isReset ? name.trim() : null;
          accept.mutate({ token, name: given, password, project: link.project }, { onSuccess: () => void navigate({ to: "/", replace: true }) });
        }}
      >
        <Field label="Email" type="email" name="email" autoComplete="username" readOnly value={link.email} onValue={() => undefined} />
        {isNew && !isReset && <Field label="Your name" name="name" autoComplete="name" required maxLength={100} autoFocus value={name} onValue={setName} />}
        <Password
          label={isReset ? "New password" : "Password"}
          autoComplete={isNew || isReset ? "new-password" : "current-password"}
          autoFocus={isReset || !isNew}
          value={password}
          onValue={setPassword}
          {...(isNew || isReset ? { hint: PASSWORD_HINT, minLength: PASSWORD_LEAST } : {})}
        />
        <Fault error={accept.error} />
        <button type="submit" className="button primary big" disabled={accept.isPending}>{accept.isPending ? "One moment…" : act}</button>
      </form>
      {isReset && <p className="muted">Every browser in which you are signed in now is signed out.</p>}
    </Door>
  );
}
