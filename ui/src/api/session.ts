/** The session: who is there. Every page hangs on it, and every 401 asks for it again. */

import { MutationCache, QueryCache, QueryClient, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { ApiError, people } from "./client";
import { chooseProject, currentProject } from "./project";
import type { Session, SignIn } from "./types";

const KEY = ["session"] as const;

/** The client of the whole app: a refusal is not retried, and a 401 has the session looked at again. */
export function makeClient(): QueryClient {
  const refused = (error: Error): void => {
    if (error instanceof ApiError && error.status === 401) void client.invalidateQueries({ queryKey: KEY });
  };
  const client: QueryClient = new QueryClient({
    queryCache: new QueryCache({ onError: refused }),
    mutationCache: new MutationCache({ onError: refused }),
    defaultOptions: {
      // A refusal will be refused again; a server that is gone may come back.
      queries: { retry: (times, error) => !(error instanceof ApiError) && times < 2, staleTime: 2000 },
    },
  });
  return client;
}

/** Ask who is there. Someone is a stranger in a project that is not theirs: it is forgotten where that is why. */
async function readSession(signal?: AbortSignal): Promise<Session> {
  const wanted = currentProject();
  const found = await people.session(wanted, signal);
  if (wanted === null || found.can_read) return settle(found);
  const anywhere = await people.session(null, signal);
  if (anywhere.can_read) chooseProject(null);
  return settle(anywhere);
}

/** Someone of several projects who has chosen none gets the first. */
async function settle(found: Session): Promise<Session> {
  const first = found.projects[0];
  if (found.kind !== "session" || found.project !== null || first === undefined) return found;
  chooseProject(first.id);
  return people.session(first.id);
}

export function useSession() {
  return useQuery({ queryKey: KEY, queryFn: ({ signal }) => readSession(signal), staleTime: 30_000 });
}

/** The session of a page that is only shown to someone. */
export function useWho(): Session {
  const { data } = useSession();
  if (data === undefined) throw new Error("this page is shown before the session is known");
  return data;
}

/** Forget what was read by whoever was here before. */
export function forgetAnswers(client: QueryClient): void {
  client.removeQueries({ predicate: (query) => query.queryKey[0] !== KEY[0] });
}

async function enter(client: QueryClient, session: Session): Promise<void> {
  await client.cancelQueries({ queryKey: KEY });
  forgetAnswers(client);
  const remembered = currentProject();
  if (remembered !== null && remembered !== session.project) {
    client.setQueryData(KEY, await readSession());
    return;
  }
  client.setQueryData(KEY, await settle(session));
}

export function useSignIn() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (who: SignIn) => people.signIn(who),
    onSuccess: (session) => enter(client, session),
  });
}

export function useSignOut() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => people.signOut(),
    onSettled: () => client.invalidateQueries({ queryKey: KEY }),
  });
}

export function useAcceptLink() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ token, name, password }: { token: string; name: string | null; password: string; project: string | null }) =>
      people.acceptLink(token, name, password),
    onSuccess: (session, { project }) => {
      if (project !== null) chooseProject(project);
      return enter(client, session);
    },
  });
}

/** Look at another project; what they may do there is known before anything is asked of it. */
export function useSwitchProject() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (project: string) => people.session(project),
    onSuccess: (session, project) => {
      client.setQueryData(KEY, session);
      chooseProject(project);
    },
  });
}

export function usePasswordChange() {
  return useMutation({ mutationFn: ({ old, next }: { old: string; next: string }) => people.changePassword(old, next) });
}

const SESSIONS = ["own-sessions"] as const;

export function useSessions() {
  return useQuery({ queryKey: SESSIONS, queryFn: ({ signal }) => people.sessions(signal) });
}

export function useEndSessions() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (ids: readonly string[]) => Promise.all(ids.map((id) => people.endSession(id))),
    onSettled: () => client.invalidateQueries({ queryKey: SESSIONS }),
  });
}

