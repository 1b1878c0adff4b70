import { Outlet } from "@tanstack/react-router";
import { useState } from "react";
import { useStatus } from "@/api/queries";
import { KeysHelp } from "@/components/keys-help";
import { Shell } from "@/components/shell";
import { useKeys } from "@/components/use-keys";
import { compact } from "@/core/format";

/** The shell with the server's state in it. */
export function Frame() {
  const status = useStatus();
  const [helpOpen, setHelpOpen] = useState(false);
  useKeys({ "?": () => setHelpOpen(true) });
  const isGone = status.isError;
  const end = isGone ? (
    <span className="row"><span className="dot error" /> <span className="hide-narrow">disconnected</span></span>
  ) : status.data === undefined ? null : (
    <span className="row" title={`Watchkeeper ${status.data.version} at ${status.data.endpoint}`}>
      <span className="dot" />
      <span><span data-testid="span-count">{compact(status.data.spans)}</span> spans</span>
    </span>
  );
  const banner = isGone ? (
    <div className="banner" role="alert">
      <span className="grow">{status.error.message} What you see may be old; it is tried again every two seconds.</span>
      <button type="button" className="button small" onClick={() => void status.refetch()}>Retry now</button>
    </div>
  ) : null;
  return (
    <Shell end={end} banner={banner}>
      <Outlet />
      <KeysHelp isOpen={helpOpen} onClose={() => setHelpOpen(false)} />
    </Shell>
  );
}
