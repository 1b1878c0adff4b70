import { useEffect, useRef } from "react";

const TYPING = new Set(["INPUT", "TEXTAREA", "SELECT"]);
/** Keys a focused control uses itself. */
const OWN = new Set(["BUTTON", "A", "SUMMARY"]);

/** Page-wide keys; silent while someone types, holds a modifier, or a dialog is open. */
export function useKeys(keys: Record<string, () => unknown>): void {
  const latest = useRef(keys);
  useEffect(() => {
    latest.current = keys;
  });
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      const target = event.target instanceof HTMLElement ? event.target : null;
      if (target !== null && TYPING.has(target.tagName)) return;
      if (target !== null && event.key === "Enter" && OWN.has(target.tagName)) return;
      if (document.querySelector("dialog[open]") !== null) return;
      const act = latest.current[event.key];
      if (act === undefined) return;
      event.preventDefault();
      act();
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, []);
}
