/** The frame around every page. */

import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { Icon, Mark } from "./icons";
import { useTheme } from "./theme";

export function Shell({ children, end, last, banner, isAdmin }: {
  children: ReactNode;
  end: ReactNode;
  last: ReactNode;
  banner: ReactNode;
  isAdmin: boolean;
}) {
  return (
    <div className="app">
      <a className="skip" href="#main">Skip to the page</a>
      <header className="bar">
        <Link to="/" className="brand" aria-label="Watchkeeper">
          <Mark />
          <span>Watchkeeper</span>
        </Link>
        <nav className="nav" aria-label="Pages">
          <Link to="/" activeOptions={{ exact: true, includeSearch: false }}>Overview</Link>
          <Link to="/traces" activeOptions={{ includeSearch: false }}>Traces</Link>
          <Link to="/query">Query <span className="beta hide-narrow">beta</span></Link>
          {isAdmin && <Link to="/settings" className="wide-only">Settings</Link>}
        </nav>
        <div className="bar-end">
          {end}
          <span className="row tight"><ThemeButton />{last}</span>
        </div>
      </header>
      {banner}
      <main className="main" id="main" tabIndex={-1}>{children}</main>
    </div>
  );
}

/** Light to dark and back. */
export function ThemeButton() {
  const { shown, set } = useTheme();
  const other = shown === "dark" ? "light" : "dark";
  return (
    <button type="button" className="button quiet square" aria-label={`Switch to ${other} theme`} title={`Switch to ${other} theme`} onClick={() => set(other)}>
      <Icon name={other === "light" ? "sun" : "moon"} />
    </button>
  );
}
