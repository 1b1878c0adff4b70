/** Latency as bars, with the percentiles marked where they fall. Bounds grow, so the axis does too. */

import { count } from "@/core/format";

interface Props {
  /** Upper bounds in ms; the last count lies above them all. */
  bounds: readonly number[];
  counts: readonly number[];
  marks: readonly { name: string; ms: number }[];
  format: (ms: number) => string;
}

const WIDTH = 600;
const HEIGHT = 150;

export function Histogram({ bounds, counts, marks, format }: Props) {
  const used = counts.reduce((range, value, index) => (value > 0 ? { first: Math.min(range.first, index), last: index } : range), { first: counts.length, last: -1 });
  if (used.last === -1) return <p className="muted chart">No calls in this window.</p>;
  const first = Math.max(0, used.first - 1);
  const last = Math.min(counts.length - 1, used.last + 1);
  const shown = counts.slice(first, last + 1);
  const peak = Math.max(...shown);
  const wide = WIDTH / shown.length;
  const lower = (index: number): number => (index === 0 ? 0 : (bounds[index - 1] ?? 0));
  const place = (ms: number): number => {
    const found = bounds.findIndex((bound) => ms <= bound);
    const index = found === -1 ? counts.length - 1 : found;
    const low = lower(index);
    const high = bounds[index] ?? low * 2;
    return (index - first + Math.min(1, (ms - low) / Math.max(high - low, 1e-9))) * wide;
  };
  const every = Math.max(1, Math.ceil(shown.length / 7));
  return (
    <figure className="chart" role="img" aria-label={`Latency: ${marks.map((mark) => `${mark.name} ${format(mark.ms)}`).join(", ")}`}>
      <div className="marks" style={{ height: 20 }}>
        {marks.map((mark) => <span key={mark.name}>{mark.name} <b>{format(mark.ms)}</b></span>)}
      </div>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" width="100%" height={HEIGHT - 4} aria-hidden="true">
        {shown.map((value, index) => (
          <rect key={index} x={index * wide + 1} width={Math.max(1, wide - 2)} y={HEIGHT - (value / peak) * (HEIGHT - 10)} height={(value / peak) * (HEIGHT - 10)} fill="var(--blue-fill)">
            <title>{`${format(lower(first + index))} to ${bounds[first + index] === undefined ? "more" : format(bounds[first + index] ?? 0)}: ${count(value)}`}</title>
          </rect>
        ))}
        <line x1="0" x2={WIDTH} y1={HEIGHT - 0.5} y2={HEIGHT - 0.5} stroke="var(--line-strong)" />
        {marks.map((mark, index) => (
          <line key={mark.name} x1={place(mark.ms)} x2={place(mark.ms)} y1={index * 12} y2={HEIGHT} stroke={index === 0 ? "var(--good-fill)" : index === 1 ? "var(--accent-fill)" : "var(--bad-fill)"} strokeWidth="2" vectorEffect="non-scaling-stroke" strokeDasharray="4 3" />
        ))}
      </svg>
      <figcaption style={{ position: "relative", height: 16, fontSize: 10.5, color: "var(--muted)" }}>
        {shown.map((_, index) => index % every === 0 && index > 0 && (
          <span key={index} style={{ position: "absolute", left: `${(index / shown.length) * 100}%`, transform: "translateX(-50%)", whiteSpace: "nowrap" }}>{format(lower(first + index))}</span>
        ))}
      </figcaption>
    </figure>
  );
}
