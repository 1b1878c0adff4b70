/** Bars of requests over time, failed ones in red; a click or a drag picks a time window. */

import { useRef, useState } from "react";
import { compact, count } from "@/core/format";
import { bucketLabel } from "@/core/time";

export interface TrafficBar {
  startMs: number;
  requests: number;
  errors: number;
}

export function Traffic({ bars, stepMs, onPick }: {
  bars: readonly TrafficBar[];
  stepMs: number;
  onPick: (sinceMs: number, untilMs: number) => void;
}) {
  const box = useRef<HTMLDivElement>(null);
  const [drag, setDrag] = useState<{ from: number; to: number } | null>(null);
  const peak = bars.reduce((most, bar) => Math.max(most, bar.requests), 0);
  const total = bars.reduce((sum, bar) => sum + bar.requests, 0);
  const failed = bars.reduce((sum, bar) => sum + bar.errors, 0);
  const at = (x: number): number => {
    const area = box.current?.getBoundingClientRect();
    if (area === undefined || bars.length === 0) return 0;
    return Math.max(0, Math.min(bars.length - 1, Math.floor(((x - area.left) / area.width) * bars.length)));
  };
  const finish = (): void => {
    if (drag === null) return;
    const first = bars[Math.min(drag.from, drag.to)];
    const last = bars[Math.max(drag.from, drag.to)];
    setDrag(null);
    if (first !== undefined && last !== undefined) onPick(first.startMs, last.startMs + stepMs);
  };
  const first = bars[0];
  const last = bars.at(-1);
  return (
    <figure className="traffic" aria-label={`Requests over time: ${count(total)}, ${count(failed)} failed`}>
      <div
        ref={box}
        className="bars"
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          setDrag({ from: at(event.clientX), to: at(event.clientX) });
        }}
        onPointerMove={(event) => drag !== null && setDrag({ from: drag.from, to: at(event.clientX) })}
        onPointerUp={finish}
        onPointerCancel={() => setDrag(null)}
      >
        {bars.map((bar, index) => (
          <div
            key={bar.startMs}
            className={drag !== null && index >= Math.min(drag.from, drag.to) && index <= Math.max(drag.from, drag.to) ? "in-drag" : ""}
            title={`${bucketLabel(bar.startMs, stepMs)} · ${count(bar.requests)} requests · ${count(bar.errors)} failed`}
          >
            {bar.errors > 0 && <i className="err" style={{ height: `${Math.max(6, (bar.errors / peak) * 100)}%` }} />}
            {bar.requests > bar.errors && <i style={{ height: `${Math.max(3, ((bar.requests - bar.errors) / peak) * 100)}%` }} />}
          </div>
        ))}
      </div>
      <figcaption className="edge">
        <span>{first === undefined ? "" : bucketLabel(first.startMs, stepMs)}</span>
        {peak > 0 && <span>{compact(total)} requests{failed > 0 && <span className="bad">, {compact(failed)} failed</span>}<span className="hide-narrow">, at most {compact(peak)} a bar</span></span>}
        <span>{last === undefined ? "" : bucketLabel(last.startMs + stepMs, stepMs)}</span>
      </figcaption>
    </figure>
  );
}
