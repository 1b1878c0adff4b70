/** A time chart on uPlot, in the theme's colours; dragging picks a window. */

import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { bucketLabel } from "@/core/time";
import { useTheme } from "./theme";

export interface Series {
  name: string;
  values: readonly number[];
  /** A colour token, such as `--blue-fill`. */
  colour: string;
}

interface Props {
  times: readonly number[];
  step: number;
  series: readonly Series[];
  format: (value: number) => string;
  stacked?: boolean;
  onWindow: (sinceMs: number, untilMs: number) => void;
}

const HEIGHT = 190;
const FONT = "11px ui-sans-serif, system-ui, sans-serif";

export function Chart({ times, step, series, format, stacked = false, onWindow }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const theme = useTheme().shown;
  const latest = useRef({ format, onWindow });
  useEffect(() => {
    latest.current = { format, onWindow };
  });
  useEffect(() => {
    const host = box.current;
    if (host === null) return;
    const paint = colours(host);
    const shown = stacked ? stack(series.map((each) => each.values)) : series.map((each) => [...each.values]);
    // The tallest stack is drawn first, so that the ones below cover its foot.
    const order = series.map((_, index) => index).reverse();
    const { bars } = uPlot.paths;
    const plot = new uPlot(
      {
        width: host.clientWidth,
        height: HEIGHT - 24,
        padding: [8, 18, 0, 0],
        cursor: { drag: { x: true, y: false, setScale: false }, points: { show: false } },
        hooks: { setSelect: [(each) => pickWindow(each, latest.current.onWindow)] },
        scales: { x: { range: (_, low, high) => [low - step / 2, high + step / 2] }, y: { range: (_, __, high) => [0, high > 0 ? high * 1.08 : 1] } },
        axes: [
          { ...axis(paint), size: 26, space: 64, values: (_, splits, __, ___, increment) => splits.map((value) => tick(value, increment)) },
          { ...axis(paint), size: labelRoom, splits: roundSplits, values: (_, splits) => splits.map((value) => shorter(latest.current.format(value))) },
        ],
        series: [
          { label: "", value: (_, value: number | null) => (value === null ? "whole window" : bucketLabel(value * 1000, step * 1000)) },
          ...order.map((index): uPlot.Series => ({
            label: series[index]?.name ?? "",
            fill: paint(series[index]?.colour ?? "--text"),
            width: 0,
            points: { show: false },
            ...(bars === undefined ? {} : { paths: bars({ size: [0.82, 40], align: 0 }) }),
            value: (_, __, ___, at) => latest.current.format(at === null ? sum(series[index]?.values ?? []) : (series[index]?.values[at] ?? 0)),
          })),
        ],
      },
      [[...times], ...order.map((index) => shown[index] ?? [])],
      host,
    );
    const watch = new ResizeObserver(() => plot.setSize({ width: host.clientWidth, height: HEIGHT - 24 }));
    watch.observe(host);
    return () => {
      watch.disconnect();
      plot.destroy();
    };
  }, [times, step, series, stacked, theme]);
  const total = series.map((each) => `${each.name} ${format(sum(each.values))}`).join(", ");
  return <div className="chart" ref={box} role="img" aria-label={`Over time: ${total}`} />;
}

/** As wide as the longest label, so that a tiny cost is not cut off. */
const labelRoom: uPlot.Axis.Size = (_, labels: readonly string[] | null) =>
  // uPlot asks once before it has labels, whatever its types say.
  Math.max(54, ...(labels ?? []).map((label) => label.length * 6.4 + 16));

/** A few round steps, none at all where everything is zero. */
const roundSplits: uPlot.Axis.Splits = (_, __, ___, high) => {
  const raw = high / 4;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((each) => each * power).find((each) => each >= raw) ?? raw;
  return Array.from({ length: Math.floor(high / step) + 1 }, (_each, index) => index * step);
};

function pickWindow(plot: uPlot, onWindow: Props["onWindow"]): void {
  const { left, width } = plot.select;
  if (width < 4) return;
  onWindow(plot.posToVal(left, "x") * 1000, plot.posToVal(left + width, "x") * 1000);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** "14:00", or the day where midnight falls or the steps are days. */
function tick(seconds: number, increment: number): string {
  const at = new Date(seconds * 1000);
  const isMidnight = at.getHours() === 0 && at.getMinutes() === 0;
  if (increment >= 86_400 || isMidnight) return at.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
  return at.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", ...(increment < 60 ? { second: "2-digit" } : {}) });
}

/** "$0.0600" → "$0.06", "50.0k" → "50k": an axis needs no zeros at the end. */
function shorter(label: string): string {
  return label.replace(/(\.\d*[1-9])0+(?=\D*$)|\.0+(?=\D*$)/, "$1");
}

function stack(rows: readonly (readonly number[])[]): number[][] {
  const sums: number[] = [];
  return rows.map((row) => row.map((value, index) => (sums[index] = (sums[index] ?? 0) + value)));
}

function axis(paint: (token: string) => string): uPlot.Axis {
  return {
    stroke: paint("--muted"),
    font: FONT,
    grid: { stroke: paint("--line"), width: 1 },
    ticks: { show: false },
  };
}

/** A canvas knows no CSS variables: ask the browser what each comes to here. */
function colours(host: HTMLElement): (token: string) => string {
  return (token) => {
    const probe = document.createElement("i");
    probe.style.color = `var(${token})`;
    host.append(probe);
    const colour = getComputedStyle(probe).color;
    probe.remove();
    return colour;
  };
}
