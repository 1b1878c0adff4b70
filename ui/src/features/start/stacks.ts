/** What people may already use, and what to paste for each; the texts are files, run as they are by the tests. */

import list from "./stacks.json";

export interface Stack {
  id: string;
  name: string;
  group: string;
  /** How the file is run; what is a shell's work alone has none. */
  run: string | null;
  /** Sends nothing without a key, even to this machine. */
  needsKey: boolean;
  shell: string;
  code: { file: string; text: string } | null;
}

interface Given {
  id: string;
  name: string;
  group: string;
  run?: string;
  needsKey?: boolean;
}

const TEXTS = import.meta.glob<string>("./snippets/*", { query: "?raw", import: "default", eager: true });
const ENDINGS = ["py", "mjs"];

export const STACKS: readonly Stack[] = (list as Given[]).map((given) => ({
  id: given.id,
  name: given.name,
  group: given.group,
  run: given.run ?? null,
  needsKey: given.needsKey ?? false,
  shell: TEXTS[`./snippets/${given.id}.sh`] ?? "",
  code: codeOf(given.id),
}));

export const GROUPS: readonly string[] = [...new Set(STACKS.map((stack) => stack.group))];

function codeOf(id: string): Stack["code"] {
  for (const ending of ENDINGS) {
    const text = TEXTS[`./snippets/${id}.${ending}`];
    if (text !== undefined) return { file: `app.${ending}`, text };
  }
  return null;
}
