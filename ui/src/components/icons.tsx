/** Line icons, drawn here so that nothing is fetched. */

import type { ReactNode } from "react";

const PATHS = {
  llm: <path d="M3 4.5h10v6.5H8.5L5.5 13.5V11H3zM6 7.5h.01M8 7.5h.01M10 7.5h.01" />,
  embedding: <path d="M3 12.5V8m3.3 4.5V4.5m3.4 8V6.5m3.3 6V3" />,
  retriever: <path d="M7.2 11.2a4 4 0 1 0 0-8 4 4 0 0 0 0 8zm3-1 3.3 3.3" />,
  reranker: <path d="M3 4.5h10M3 8h6.5M3 11.5h3.5m6-4.5v5m0 0-1.6-1.6M12.500 12l1.600-1.600" />,
  tool: <path d="M9.6 3.2a3.4 3.4 0 0 0-3.900 4.700L2.800 10.800l2.400 2.400 2.900-2.900a3.400 3.400 0 0 0 4.700-3.900L10.600 8.500 8.500 7.800 7.700 5.400z" />,
  agent: <path d="M4 6h8v6.5H4zM8 3v3M6.300 9h.01M9.700 9h.01M2.500 8.500v2m11-2v2" />,
  workflow: <path d="M2.500 3h4v3.500h-4zm7 6.500h4V13h-4zM4.500 6.500v4.700h5M6.500 4.700h4.800v4.800" />,
  guardrail: <path d="M8 2.500 13 4.300v3.500c0 3-2.100 4.900-5 5.900-2.900-1-5-2.900-5-5.900V4.300z" />,
  mask: <path d="M2.500 5.500h11v2.800c0 2-1.300 3.200-2.900 3.200S8.700 10.300 8 10.300s-1.400 1.200-2.600 1.200-2.900-1.200-2.900-3.200zM5.300 7.800h.01M10.700 7.800h.01" />,
  evaluator: <path d="M3 8.500 6.300 12 13 4.500" />,
  span: <path d="M3 5h7M5 8h8M4 11h5" />,
  chevron: <path d="m5.500 3.500 4.500 4.500-4.500 4.500" />,
  down: <path d="m3.500 6 4.500 4.500L12.500 6" />,
  copy: <path d="M5.500 5.500V3h7.500v7.500h-2.500M3 5.500h7.500V13H3z" />,
  check: <path d="M3 8.500 6.300 12 13 4.500" />,
  sun: <path d="M8 5.200a2.800 2.800 0 1 1 0 5.600 2.800 2.800 0 0 1 0-5.600zM8 1.500v1.300m0 10.400v1.300M1.500 8h1.300m10.400 0h1.300M3.400 3.400l.9.9m7.400 7.400.9.9m0-9.200-.9.9m-7.400 7.400-.9.9" />,
  moon: <path d="M13 9.500A5.500 5.500 0 0 1 6.500 3 5.500 5.500 0 1 0 13 9.500z" />,
  search: <path d="M7.200 11.200a4 4 0 1 0 0-8 4 4 0 0 0 0 8zm3-1 3.300 3.300" />,
  close: <path d="m4 4 8 8m0-8-8 8" />,
  warning: <path d="M8 2.500 14 13H2zM8 6.500v3m0 1.800v.01" />,
  keys: <path d="M2 4.500h12v7.500H2zM4.500 7h.01M7 7h.01M9.500 7h.01M12 7h.01M5 9.700h6" />,
  person: <path d="M8 8a2.700 2.700 0 1 0 0-5.400A2.700 2.700 0 0 0 8 8zM2.800 13.500c.5-2.500 2.600-3.700 5.200-3.700s4.700 1.200 5.200 3.700" />,
  plus: <path d="M8 3v10M3 8h10" />,
  link: <path d="M9.500 3H13v3.500M13 3 7.500 8.500M7 4H3.500v8.500H12V9" />,
} satisfies Record<string, ReactNode>;

export type IconName = keyof typeof PATHS;

export function Icon({ name, className = "icon" }: { name: IconName; className?: string }) {
  return (
    <svg className={className} viewBox="0 0 16 16" fill="none" stroke="currentColor" strokeWidth="1.4" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true">
      {PATHS[name]}
    </svg>
  );
}

export function kindIcon(kind: string): IconName {
  return kind in PATHS ? (kind as IconName) : "span";
}

/** The mark: a lighthouse that keeps watch. */
export function Mark() {
  return (
    <svg viewBox="0 0 32 32" aria-hidden="true">
      <path d="M18.2 9.2 30 4.600v10.200L18.200 11.800z" fill="var(--accent-fill)" opacity=".45" />
      <path d="M13.800 9.200 2 4.600v10.200l11.800-3z" fill="var(--accent-fill)" opacity=".2" />
      <path d="M16 3 20.200 6.800h-8.400z" fill="var(--accent-fill)" />
      <rect x="13" y="7.600" width="6" height="5" rx="1" fill="var(--accent-fill)" />
      <path d="M13.200 14h5.600l1.800 12h-9.200z" fill="currentColor" />
      <path d="M12.500 18.600h7l.5 3.200h-8z" fill="var(--surface)" opacity=".6" />
      <rect x="8.400" y="27" width="15.200" height="2.200" rx="1.100" fill="currentColor" />
    </svg>
  );
}
