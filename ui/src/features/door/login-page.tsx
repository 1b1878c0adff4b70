/** Shown in place of any page that needs someone; the address stays, so that it is there after signing in. */

import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { ApiError } from "@/api/client";
import { forgetAnswers, useSignIn, useSignOut } from "@/api/session";
import type { Session } from "@/api/types";
import { useNow } from "@/components/basics";
import { Fault } from "@/components/dialog";
import { Field, Password } from "@/components/form";
import { Code } from "@/components/text";
import { waitWords } from "@/core/people";
import { Door } from "./door";

export function LoginPage({ session }: { session: Session }) {
  const client = useQueryClient();
  useEffect(() => forgetAnswers(client), [client]);
  if (session.kind === "session") return <NoProject session={session} />;
  if (!session.has_users) return <NobodyYet />;
  return <Login />;
}

function Login() {
  const signIn = useSignIn();
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const wait = useWait(signIn.error);
  return (
    <Door title="Sign in">
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          signIn.mutate({ email: email.trim(), password });
        }}
      >
        <Field label="Email" type="email" name="email" autoComplete="username" required autoFocus spellCheck={false} value={email} onValue={setEmail} />
        <Password label="Password" autoComplete="current-password" value={password} onValue={setPassword} />
        <Fault error={wait > 0 ? new Error(`Too many attempts. Try again in ${waitWords(wait)}.`) : signIn.error} />
        <button type="submit" className="button primary big" disabled={signIn.isPending || wait > 0}>
          {signIn.isPending ? "Signing in…" : "Sign in"}
        </button>
      </form>
      <p className="muted">Forgot your password, or have no account? An admin of your project can make you a link.</p>
    </Door>
  );
}

/** Seconds for which the server wants to be left alone, counted down. */
function useWait(error: Error | null): number {
  const now = useNow(1000);
  if (!(error instanceof ApiError) || error.status !== 429 || error.retryAt === null) return 0;
  return Math.max(0, (error.retryAt - now) / 1000);
}

function NobodyYet() {
  return (
    <Door title="Nobody can sign in yet">
      <p>This server has no accounts yet, and shows nothing without one. On the machine where it runs, invite yourself:</p>
      <Code text="watchkeeper users invite you@example.com --role admin" />
      <p className="muted">It prints a link. Open that here.</p>
    </Door>
  );
}

function NoProject({ session }: { session: Session }) {
  const signOut = useSignOut();
  return (
    <Door title="No project is open to you">
      <p>You are signed in as <b>{session.user?.email ?? session.name}</b>, and are a member of no project. Ask an admin to invite you.</p>
      <button type="button" className="button big" disabled={signOut.isPending} onClick={() => signOut.mutate()}>Sign out</button>
    </Door>
  );
}
