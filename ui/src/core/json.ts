/** JSON for people. */

/** Indented JSON of a value; text that holds JSON is read first, other text is returned as it is. */
export function pretty(value: unknown): string {
  const read = typeof value === "string" ? parse(value) : value;
  return typeof read === "string" ? read : JSON.stringify(read, null, 2);
}

/** The object or array in a text, or the text itself. */
export function parse(text: string): unknown {
  const start = text.trimStart()[0];
  if (start !== "{" && start !== "[") return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text; // it only looked like JSON
  }
}

export type Token = { kind: "key" | "text" | "number" | "word" | "mark"; text: string };

const TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|\b(true|false|null)\b/g;

/** Split printed JSON for colouring; joined together the tokens are the text again. */
export function tokens(json: string): Token[] {
  const found: Token[] = [];
  let from = 0;
  const push = (kind: Token["kind"], text: string): void => {
    if (text !== "") found.push({ kind, text });
  };
  for (const match of json.matchAll(TOKEN)) {
    push("mark", json.slice(from, match.index));
    if (match[1] !== undefined) {
      push(match[2] === undefined ? "text" : "key", match[1]);
      push("mark", match[2] ?? "");
    } else push(match[3] === undefined ? "word" : "number", match[0]);
    from = match.index + match[0].length;
  }
  push("mark", json.slice(from));
  return found;
}
