/** A small, safe reading of Markdown into data: the page renders it as elements, never as HTML. */

export type Inline =
  | { kind: "text"; text: string }
  | { kind: "code"; text: string }
  | { kind: "strong"; text: string }
  | { kind: "em"; text: string };

export type Block =
  | { kind: "paragraph"; lines: Inline[][] }
  | { kind: "heading"; level: number; inline: Inline[] }
  | { kind: "code"; language: string; text: string }
  | { kind: "list"; ordered: boolean; start: number; items: Inline[][] }
  | { kind: "quote"; lines: Inline[][] };

const HEADING = /^(#{1,4}) (.+)$/;
const BULLET = /^ {0,3}[-*] (.+)$/;
const NUMBERED = /^ {0,3}(\d{1,4})[.)] (.+)$/;
const FENCE = /^ {0,3}```([\w+-]*)\s*$/;
const QUOTE = /^> ?(.*)$/;

export function parseBlocks(text: string): Block[] {
  const lines = text.split("\n");
  const blocks: Block[] = [];
  let at = 0;
  while (at < lines.length) {
    const line = lines[at] ?? "";
    const fence = FENCE.exec(line);
    if (fence !== null) {
      const end = lines.findIndex((each, index) => index > at && FENCE.test(each));
      const stop = end === -1 ? lines.length : end;
      blocks.push({ kind: "code", language: fence[1] ?? "", text: lines.slice(at + 1, stop).join("\n") });
      at = stop + 1;
      continue;
    }
    if (line.trim() !== "") push(blocks, line, at > 0 && (lines[at - 1] ?? "").trim() !== "");
    at += 1;
  }
  return blocks;
}

function push(blocks: Block[], line: string, joins: boolean): void {
  const last = blocks.at(-1);
  const heading = HEADING.exec(line);
  if (heading !== null) {
    blocks.push({ kind: "heading", level: heading[1]?.length ?? 1, inline: parseInline(heading[2] ?? "") });
    return;
  }
  const bullet = BULLET.exec(line);
  const numbered = NUMBERED.exec(line);
  if (bullet !== null || numbered !== null) {
    const ordered = bullet === null;
    const item = parseInline(bullet?.[1] ?? numbered?.[2] ?? "");
    if (last?.kind === "list" && last.ordered === ordered) last.items.push(item);
    else blocks.push({ kind: "list", ordered, start: Number(numbered?.[1] ?? 1), items: [item] });
    return;
  }
  const quote = QUOTE.exec(line);
  const kind = quote === null ? "paragraph" : "quote";
  const inline = parseInline(quote?.[1] ?? line);
  if (joins && last?.kind === kind) last.lines.push(inline);
  else blocks.push({ kind, lines: [inline] });
}

const INLINE = /`([^`]+)`|\*\*([^*]+)\*\*|(?<![\w*])\*([^*\s][^*]*)\*(?![\w*])/g;

export function parseInline(text: string): Inline[] {
  const found: Inline[] = [];
  let from = 0;
  for (const match of text.matchAll(INLINE)) {
    if (match.index > from) found.push({ kind: "text", text: text.slice(from, match.index) });
    if (match[1] !== undefined) found.push({ kind: "code", text: match[1] });
    else if (match[2] !== undefined) found.push({ kind: "strong", text: match[2] });
    else found.push({ kind: "em", text: match[3] ?? "" });
    from = match.index + match[0].length;
  }
  if (from < text.length) found.push({ kind: "text", text: text.slice(from) });
  return found;
}
