/** Fills what to paste: this server's address, and a key where there is one. */

export interface Pair {
  publicId: string;
  secret: string;
}

const HELD: Pair = { publicId: "pk-…", secret: "sk-…" };

/**
 * Put the address and the key in. Without a key, a line that would name it is left out where none is needed;
 * else it says what belongs there.
 */
export function fill(text: string, endpoint: string, pair: Pair | null, needsKey: boolean): string {
  const isOpen = pair === null && !needsKey;
  const kept = isOpen ? text.split("\n").filter((line) => !/\{\{(public|secret)\}\}/.test(line)).join("\n") : text;
  const { publicId, secret } = pair ?? HELD;
  const words: Record<string, string> = { endpoint, public: publicId, secret };
  return kept.replace(/\{\{(\w+)\}\}/g, (whole, word: string) => words[word] ?? whole).trimEnd();
}

/** Whether an address stands for the machine it is used on. */
export function isLoopback(endpoint: string): boolean {
  return /^https?:\/\/(localhost|127(\.\d+){3}|\[::1\])(:|\/|$)/i.test(endpoint);
}
