/** The empty state: what to paste, and a check that turns green when the first span arrives. */

import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useFirstTrace, useStatus } from "@/api/queries";
import { Tabs } from "@/components/basics";
import { Icon } from "@/components/icons";
import { Code } from "@/components/text";
import { snippet, WAYS, type Way } from "./snippets";

/** Watches the store; once it was seen empty, the page stays until the person moves on. */
export function useStart(): "unknown" | "start" | "ready" {
  const spans = useStatus().data?.project_spans;
  const [wasEmpty, setWasEmpty] = useState(false);
  if (spans === 0 && !wasEmpty) setWasEmpty(true);
  if (wasEmpty) return "start";
  return spans === undefined ? "unknown" : "ready";
}

export function Start() {
  const status = useStatus().data;
  const [way, setWay] = useState<Way>("python");
  const arrived = (status?.project_spans ?? 0) > 0;
  const endpoint = status?.endpoint ?? window.location.origin;
  return (
    <div className="scroll">
      <title>Start · Watchkeeper</title>
      <div className="start">
        <h1>Nothing to watch yet</h1>
        <p className="lead">
          Point an app at this server and every model call appears here: prompt, answer, tokens, latency and cost, as a tree. What you send stays on this server.
        </p>
        <div>
          <Tabs label="How to send" value={way} options={WAYS} onPick={setWay} />
          <div style={{ marginTop: 10 }}>
            <Code text={snippet(way, endpoint)} />
          </div>
        </div>
        <Check arrived={arrived} />
        <p className="muted">
          OTLP over HTTP at <code>{endpoint}/v1/traces</code>
          {status !== undefined && status.grpc_port !== null && (
            <>
              {" "}and over gRPC on port <code>{status.grpc_port}</code>
            </>
          )}
          .
        </p>
      </div>
    </div>
  );
}

function Check({ arrived }: { arrived: boolean }) {
  const first = useFirstTrace(arrived).data;
  return (
    <div className={`waiting ${arrived ? "arrived" : ""}`} role="status" data-testid="first-span">
      {arrived ? <span className="tick"><Icon name="check" /></span> : <span className="ring" />}
      <span className="grow">{arrived ? "The first span is here." : "Waiting for the first span…"}</span>
      {arrived && first !== undefined && first !== null && (
        <Link className="button primary" to="/traces/$traceId" params={{ traceId: first }}>
          Open the first trace
        </Link>
      )}
    </div>
  );
}
