/** Which of the person's projects is looked at; remembered, and named in every request. */

import { useSyncExternalStore } from "react";
import { recall, remember } from "@/components/memory";

const listeners = new Set<() => void>();
let chosen: string | null = recall("project") || null;

/** The chosen project; null lets the server choose. */
export function currentProject(): string | null {
  return chosen;
}

export function chooseProject(project: string | null): void {
  if (project === chosen) return;
  chosen = project;
  remember("project", project ?? "");
  for (const listener of listeners) listener();
}

export function useProject(): string | null {
  return useSyncExternalStore((changed) => {
    listeners.add(changed);
    return () => listeners.delete(changed);
  }, currentProject);
}

/** The key of a question whose answer is one project's. */
export function scoped(...parts: readonly unknown[]): readonly unknown[] {
  return ["in", chosen, ...parts];
}
