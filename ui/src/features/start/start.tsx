/** The empty state: what to paste for what one uses, and a check that turns green when the first span arrives. */

import { useState } from "react";
import { useStatus } from "@/api/queries";
import { Code } from "@/components/text";
import { fill, isLoopback, type Pair } from "@/core/snippet";
import { Check } from "./check";
import { StackPick } from "./stack-pick";
import { STACKS, type Stack } from "./stacks";
import { StartKey } from "./start-key";

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
  const [stack, setStack] = useState<Stack | undefined>(STACKS[0]);
  const [pair, setPair] = useState<Pair | null>(null);
  if (stack === undefined) return null;
  const arrived = (status?.project_spans ?? 0) > 0;
  const endpoint = status?.endpoint ?? window.location.origin;
  const needsKey = stack.needsKey || !isLoopback(endpoint);
  return (
    <div className="scroll">
      <title>Start · Watchkeeper</title>
      <div className="start">
        <h1>{arrived ? "Something to watch" : "Nothing to watch yet"}</h1>
        <p className="lead">
          Keep what traces your app already; point it at this server. Every model call appears here: prompt, answer, tokens, latency and cost, as a tree. What you send stays on this server.
        </p>
        <Check arrived={arrived} />
        <div className="start-how">
          <StackPick picked={stack} onPick={setStack} />
          <div className="stack start-steps">
            <StartKey stack={stack.name} pair={pair} needsKey={needsKey} onMade={setPair} />
            <Steps stack={stack} put={(text) => fill(text, endpoint, pair, needsKey)} />
            <p className="muted">
              OTLP over HTTP at <code>{endpoint}</code>
              {status !== undefined && status.grpc_port !== null && <> and over gRPC on port <code>{status.grpc_port}</code></>}
              . Nothing arrives? <code>watchkeeper doctor</code> looks where it stops.
            </p>
          </div>
        </div>
      </div>
    </div>
  );
}

function Steps({ stack, put }: { stack: Stack; put: (text: string) => string }) {
  return (
    <>
      <Step title="In a shell" text={put(stack.shell)} />
      {stack.code !== null && <Step title={stack.code.file} text={put(stack.code.text)} />}
      {stack.run !== null && <Step title="Run it" text={stack.run} />}
    </>
  );
}

function Step({ title, text }: { title: string; text: string }) {
  return (
    <section aria-label={title}>
      <h2 className="label">{title}</h2>
      <Code text={text} />
    </section>
  );
}
