/** Dark or light: the system's wish until the person says otherwise, then theirs. */

import { useSyncExternalStore } from "react";
import { recall, remember } from "./memory";

export type Theme = "dark" | "light";

const listeners = new Set<() => void>();
const system = window.matchMedia("(prefers-color-scheme: light)");

function chosen(): Theme | null {
  const stored = document.documentElement.dataset["theme"];
  return stored === "dark" || stored === "light" ? stored : null;
}

function shown(): Theme {
  return chosen() ?? (system.matches ? "light" : "dark");
}

/** Apply the remembered choice before the first paint. */
export function startTheme(): void {
  const stored = recall("theme");
  if (stored === "dark" || stored === "light") document.documentElement.dataset["theme"] = stored;
}

function setTheme(theme: Theme): void {
  document.documentElement.dataset["theme"] = theme;
  remember("theme", theme);
  for (const listener of listeners) listener();
}

export function useTheme(): { shown: Theme; set: (theme: Theme) => void } {
  const theme = useSyncExternalStore((changed) => {
    listeners.add(changed);
    system.addEventListener("change", changed);
    return () => {
      listeners.delete(changed);
      system.removeEventListener("change", changed);
    };
  }, shown);
  return { shown: theme, set: setTheme };
}
