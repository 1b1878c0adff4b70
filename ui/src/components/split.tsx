/** Two panes and a divider that moves by pointer and by arrow keys; its place is remembered. */

import { useRef, useState, type CSSProperties, type ReactNode } from "react";
import { recall, remember } from "./memory";

const LEAST = 22;
const MOST = 75;

export function Split({ left, right }: { left: ReactNode; right: ReactNode }) {
  const box = useRef<HTMLDivElement>(null);
  const [share, setShare] = useState(() => clamp(Number(recall("split") ?? 46)));
  const put = (next: number): void => {
    setShare(clamp(next));
    remember("split", String(Math.round(clamp(next))));
  };
  return (
    <div className="split" ref={box} style={{ "--left": `${share}%` } as CSSProperties}>
      <div className="pane">{left}</div>
      <div
        className="divider"
        role="separator"
        aria-orientation="vertical"
        aria-label="Resize the tree"
        aria-valuenow={Math.round(share)}
        aria-valuemin={LEAST}
        aria-valuemax={MOST}
        tabIndex={0}
        onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
        onPointerMove={(event) => {
          const area = box.current?.getBoundingClientRect();
          if (area === undefined || !event.currentTarget.hasPointerCapture(event.pointerId)) return;
          put(((event.clientX - area.left) / area.width) * 100);
        }}
        onKeyDown={(event) => {
          if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
          event.preventDefault();
          put(share + (event.key === "ArrowLeft" ? -2 : 2));
        }}
      />
      <div className="pane">{right}</div>
    </div>
  );
}

function clamp(share: number): number {
  return Number.isNaN(share) ? 46 : Math.max(LEAST, Math.min(MOST, share));
}
