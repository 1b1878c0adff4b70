import type { ReactNode } from "react";
import { Mark } from "@/components/icons";
import { ThemeButton } from "@/components/shell";

/** The page around a form for someone who is not inside yet. */
export function Door({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className="door">
      <title>{`${title} · Watchkeeper`}</title>
      <div className="door-end"><ThemeButton /></div>
      <main className="door-box" id="main">
        <p className="brand"><Mark /><span>Watchkeeper</span></p>
        <section className="card">
          <h1>{title}</h1>
          {children}
        </section>
      </main>
    </div>
  );
}
