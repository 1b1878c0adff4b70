/** Small dumb pieces. */

import { useEffect, useRef, useState, type ReactNode } from "react";
import { exact, relative } from "@/core/time";
import { Icon, type IconName } from "./icons";

export function StatusDot({ status, calm = false }: { status: string; calm?: boolean }) {
  const label = status === "error" ? "failed" : status === "ok" ? "ok" : "no status";
  const look = status === "error" ? "error" : calm || status === "ok" ? "" : "unset";
  return <span className={`dot ${look}`} role="img" aria-label={label} title={label} />;
}

/** A clock that ticks, so that "12 s ago" stays true. */
export function useNow(everyMs = 5000): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

export function Ago({ time, now }: { time: string; now: number }) {
  return (
    <time dateTime={time} title={exact(time)}>
      {relative(time, now)}
    </time>
  );
}

export function CopyButton({ text, label, small = true }: { text: string; label: string; small?: boolean }) {
  const [done, setDone] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const copy = (): void => {
    void copyText(text).then((copied) => {
      setDone(copied);
      timer.current = setTimeout(() => setDone(false), 1500);
    });
  };
  return (
    <button type="button" className={`button quiet ${small ? "small" : ""} copy`} onClick={copy} aria-label={label} title={label}>
      <Icon name={done ? "check" : "copy"} />
      {done && <span role="status">Copied</span>}
    </button>
  );
}

/** Clipboard access needs a secure context; on plain http beyond loopback a selection must do. */
async function copyText(text: string): Promise<boolean> {
  if (window.isSecureContext) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      return false; // the browser or the person said no
    }
  }
  const area = document.createElement("textarea");
  area.value = text;
  // Outside an open dialog nothing can be selected.
  (document.querySelector("dialog[open]") ?? document.body).append(area);
  area.select();
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- plain http has no other way
  const copied = document.execCommand("copy");
  area.remove();
  return copied;
}

export function Pick({ label, value, options, onPick }: {
  label: string;
  value: string | undefined;
  options: readonly string[];
  onPick: (value: string | undefined) => void;
}) {
  const all = value !== undefined && !options.includes(value) ? [value, ...options] : options;
  return (
    <span className={`pick ${value === undefined ? "" : "on"}`}>
      <select aria-label={label} value={value ?? ""} onChange={(event) => onPick(event.target.value === "" ? undefined : event.target.value)}>
        <option value="">{label}</option>
        {all.map((option) => (
          <option key={option} value={option}>
            {option}
          </option>
        ))}
      </select>
      <Icon name="down" />
    </span>
  );
}

export function Segments<T extends string>({ label, value, options, onPick }: {
  label: string;
  value: T | undefined;
  options: readonly T[];
  onPick: (value: T) => void;
}) {
  return (
    <span className="segments" role="group" aria-label={label}>
      {options.map((option) => (
        <button key={option} type="button" aria-pressed={option === value} onClick={() => onPick(option)}>
          {option}
        </button>
      ))}
    </span>
  );
}

export function Notice({ icon, title, children }: { icon?: IconName; title: string; children?: ReactNode }) {
  return (
    <div className="notice">
      {icon !== undefined && <Icon name={icon} />}
      <h2>{title}</h2>
      {children}
    </div>
  );
}

export function Skeleton({ height = 12, width = "100%" }: { height?: number; width?: number | string }) {
  return <div className="skeleton" style={{ height, width }} aria-hidden="true" />;
}

export function Tabs<T extends string>({ label, value, options, onPick }: {
  label: string;
  value: T;
  options: readonly { id: T; name: ReactNode }[];
  onPick: (value: T) => void;
}) {
  const step = (by: number): void => {
    const at = options.findIndex((option) => option.id === value);
    const next = options[(at + by + options.length) % options.length];
    if (next !== undefined) onPick(next.id);
  };
  return (
    <div className="tabs" role="tablist" aria-label={label} onKeyDown={(event) => {
      if (event.key === "ArrowRight") step(1);
      else if (event.key === "ArrowLeft") step(-1);
      else return;
      event.preventDefault();
      event.stopPropagation();
    }}>
      {options.map((option) => (
        <button key={option.id} type="button" role="tab" aria-selected={option.id === value} tabIndex={option.id === value ? 0 : -1} onClick={() => onPick(option.id)}>
          {option.name}
        </button>
      ))}
    </div>
  );
}
