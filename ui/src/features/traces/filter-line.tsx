/** The one line that narrows the list; everything in it lives in the page's address. */

import { useEffect, useRef, useState, type RefObject } from "react";
import { useFacets } from "@/api/queries";
import { Pick, Segments } from "@/components/basics";
import { Icon } from "@/components/icons";
import { DEFAULT_RANGE, isCustom, isNarrowed, RANGES, type Filters, type Range } from "@/core/filters";
import { toIso, toLocalInput } from "@/core/time";

interface Props {
  filters: Filters;
  onChange: (filters: Filters) => void;
  searchBox: RefObject<HTMLInputElement | null>;
  live: boolean;
}

/** The filters with one value changed, or dropped where it is undefined. */
export function changed(filters: Filters, change: { [K in keyof Filters]?: Filters[K] | undefined }): Filters {
  const next = { ...filters, ...change };
  return Object.fromEntries(Object.entries(next).filter(([, value]) => value !== undefined));
}

export function FilterLine({ filters, onChange, searchBox, live }: Props) {
  const facets = useFacets(filters).data;
  const set = (change: { [K in keyof Filters]?: Filters[K] | undefined }): void => onChange(changed(filters, change));
  return (
    <div className="filters" role="search" aria-label="Filter traces">
      <SearchBox value={filters.q} onSearch={(q) => set({ q })} box={searchBox} />
      <Pick label="Service" value={filters.service} options={facets?.services ?? []} onPick={(service) => set({ service })} />
      <Pick label="Model" value={filters.model} options={facets?.models ?? []} onPick={(model) => set({ model })} />
      <Pick
        label="Status"
        value={filters.status}
        options={["ok", "error"]}
        onPick={(status) => set({ status: status === "ok" || status === "error" ? status : undefined })}
      />
      <Pick label="User" value={filters.user} options={facets?.users ?? []} onPick={(user) => set({ user })} />
      {(facets?.environments.length ?? 0) > 1 || filters.environment !== undefined ? (
        <Pick
          label="Environment"
          value={filters.environment}
          options={facets?.environments ?? []}
          onPick={(environment) => set({ environment })}
        />
      ) : null}
      {filters.session !== undefined && (
        <button type="button" className="button" onClick={() => set({ session: undefined })} title="Drop the session filter">
          session {filters.session.slice(0, 16)} <Icon name="close" />
        </button>
      )}
      <RangePicker filters={filters} onChange={onChange} />
      <button
        type="button"
        className="button live"
        aria-pressed={live}
        disabled={isCustom(filters) && filters.until !== undefined}
        onClick={() => set({ live: live ? "off" : undefined })}
        title="Show new traces as they arrive"
      >
        <span className={`dot ${live ? "pulse" : "off"}`} /> Live
      </button>
      {isNarrowed(filters) && (
        <button type="button" className="button quiet" onClick={() => onChange(timeOnly(filters))}>
          <Icon name="close" /> Clear
        </button>
      )}
    </div>
  );
}

/** The same window, nothing else. */
export function timeOnly(filters: Filters): Filters {
  const { range, since, until, live } = filters;
  return changed({}, { range, since, until, live });
}

/** Time window: sliding ones by name, a fixed one by its two edges. */
export function RangePicker({ filters, onChange }: { filters: Filters; onChange: (filters: Filters) => void }) {
  const custom = isCustom(filters);
  const pick = (range: Range): void =>
    onChange(changed(filters, { since: undefined, until: undefined, range: range === DEFAULT_RANGE ? undefined : range }));
  const start = (): void => {
    const now = Date.now();
    onChange(changed(filters, { range: undefined, since: toIso(now - 3_600_000), until: toIso(now) }));
  };
  const edge = (side: "since" | "until", text: string): void =>
    onChange(changed(filters, { [side]: text === "" ? undefined : new Date(text).toISOString() }));
  const local = (time: string | undefined): string => (time === undefined ? "" : toLocalInput(Date.parse(time)));
  return (
    <>
      <Segments label="Time window" value={custom ? undefined : (filters.range ?? DEFAULT_RANGE)} options={RANGES} onPick={pick} />
      {custom ? (
        <span className="custom">
          <input className="field" type="datetime-local" aria-label="From" value={local(filters.since)} onChange={(event) => edge("since", event.target.value)} />
          –
          <input className="field" type="datetime-local" aria-label="Until" value={local(filters.until)} onChange={(event) => edge("until", event.target.value)} />
        </span>
      ) : (
        <button type="button" className="button quiet" onClick={start}>
          Custom
        </button>
      )}
    </>
  );
}

function SearchBox({ value, onSearch, box }: {
  value: string | undefined;
  onSearch: (text: string | undefined) => void;
  box: RefObject<HTMLInputElement | null>;
}) {
  const [text, setText] = useState(value ?? "");
  const [seen, setSeen] = useState(value);
  if (seen !== value) {
    // The address changed under us (Clear, Back): it wins.
    setSeen(value);
    setText(value ?? "");
  }
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const search = (next: string, wait: number): void => {
    setText(next);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      const wanted = next.trim() === "" ? undefined : next.trim();
      setSeen(wanted);
      onSearch(wanted);
    }, wait);
  };
  return (
    <div className="search">
      <Icon name="search" />
      <input
        ref={box}
        className="field"
        type="text"
        value={text}
        placeholder="Search names, inputs, outputs"
        aria-label="Search names, inputs and outputs"
        maxLength={500}
        spellCheck={false}
        onChange={(event) => search(event.target.value, 300)}
        onKeyDown={(event) => {
          if (event.key === "Enter") search(text, 0);
          if (event.key === "Escape") {
            event.stopPropagation();
            if (text === "") event.currentTarget.blur();
            else search("", 0);
          }
        }}
      />
      {text === "" && <kbd aria-hidden="true">/</kbd>}
    </div>
  );
}
