/** Times: RFC 3339 with nine digits on the wire, milliseconds and nanoseconds here. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Milliseconds since the epoch. */
export function toMs(time: string): number {
  return Date.parse(time.replace(/(\.\d{3})\d*/, "$1"));
}

/** Nanoseconds since the epoch, no digit lost. */
export function toNs(time: string): bigint {
  const fraction = /\.(\d{1,9})/.exec(time)?.[1] ?? "";
  const seconds = BigInt(Math.floor(Date.parse(time.replace(/\.\d+/, "")) / SECOND));
  return seconds * 1_000_000_000n + BigInt(fraction.padEnd(9, "0"));
}

export function toIso(ms: number): string {
  return new Date(ms).toISOString();
}

/** "now", "12 s ago", "4 m ago", "3 h ago", "2 d ago", then the date. */
export function relative(time: string, nowMs: number): string {
  const ago = nowMs - toMs(time);
  if (ago < 2 * SECOND) return "now";
  if (ago < MINUTE) return `${Math.floor(ago / SECOND)} s ago`;
  if (ago < HOUR) return `${Math.floor(ago / MINUTE)} m ago`;
  if (ago < DAY) return `${Math.floor(ago / HOUR)} h ago`;
  if (ago < 7 * DAY) return `${Math.floor(ago / DAY)} d ago`;
  return exact(time).slice(0, 10);
}

/** "in 12 s", "in 4 m", "in 3 h", "in 2 d", then the date; "now" for what is due. */
export function ahead(time: string, nowMs: number): string {
  const left = toMs(time) - nowMs;
  if (left <= 0) return "now";
  if (left < MINUTE) return `in ${Math.ceil(left / SECOND)} s`;
  if (left < HOUR) return `in ${Math.round(left / MINUTE)} m`;
  if (left < 2 * DAY) return `in ${Math.round(left / HOUR)} h`;
  if (left < 60 * DAY) return `in ${Math.round(left / DAY)} d`;
  return `on ${exact(time).slice(0, 10)}`;
}

/** Local time to the millisecond: "2026-11-24 09:15:02.417". */
export function exact(time: string): string {
  const at = new Date(toMs(time));
  const date = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const ms = at.getMilliseconds().toString().padStart(3, "0");
  return `${date} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${ms}`;
}

/** A label for the edge of a chart bucket, as coarse as the step allows. */
export function bucketLabel(ms: number, stepMs: number): string {
  const at = new Date(ms);
  const clock = `${two(at.getHours())}:${two(at.getMinutes())}`;
  if (stepMs < MINUTE) return `${clock}:${two(at.getSeconds())}`;
  const day = at.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
  return stepMs < 6 * HOUR ? `${day} ${clock}` : day;
}

/** The value a datetime-local field wants, in local time. */
export function toLocalInput(ms: number): string {
  return exact(toIso(ms)).slice(0, 16).replace(" ", "T");
}

function two(value: number): string {
  return value.toString().padStart(2, "0");
}
