/** Everything known about a span that is not its content. */

import type { ReactNode } from "react";
import type { Cost, Score, SpanDetail, Usage } from "@/api/types";
import { Json } from "@/components/text";
import { count, duration, money } from "@/core/format";
import { exact } from "@/core/time";
import { ScoreTable } from "./scores";

export function Details({ span, scores }: { span: SpanDetail; scores: readonly Score[] }) {
  const parameters = Object.keys(span.parameters).length > 0;
  return (
    <>
      <UsageTable usage={span.usage} />
      {span.cost !== null && <CostTable cost={span.cost} />}
      <Section title="Call">
        <Pairs
          pairs={[
            ["Provider", span.provider],
            ["Model", span.model],
            ["Requested", span.request_model === span.model ? null : span.request_model],
            ["Answered by", span.response_model === span.model ? null : span.response_model],
            ["Response id", span.response_id],
            ["Operation", span.operation],
            ["Time to first token", span.time_to_first_token_ns === null ? null : duration(span.time_to_first_token_ns)],
            ["Streaming", span.streaming === null ? null : span.streaming ? "yes" : "no"],
            ["Finish reason", span.finish_reasons.join(", ")],
            ["Tool", span.tool_name],
            ["Agent", span.agent_name],
            ["Prompt", [span.prompt_name, span.prompt_version].filter((each) => each !== null).join(" · ")],
            ["Endpoint", span.endpoint_host],
            ["Region", span.region],
            ["Operator", span.operator],
            ["Model digest", span.model_digest],
            ["Counted as", span.duplicate_of],
          ]}
        />
      </Section>
      {parameters && <Section title="Parameters"><Json value={span.parameters} /></Section>}
      {scores.length > 0 && <Section title="Scores"><ScoreTable scores={scores} /></Section>}
      <Section title="Span">
        <Pairs
          pairs={[
            ["Start", `${exact(span.start_time)} (${span.start_time})`],
            ["Duration", `${duration(span.duration_ns)} (${span.duration_ns} ns)`],
            ["Status", [span.status, span.error_type].filter((each) => each !== null).join(" · ")],
            ["Service", span.service],
            ["Environment", span.environment],
            ["Release", span.release],
            ["Session", span.session_id],
            ["User", span.user_id],
            ["Tags", span.tags.join(", ")],
            ["Span id", span.span_id],
            ["Parent", span.parent_span_id],
            ["Dialects", span.dialects.length === 0 ? "none recognised" : span.dialects.join(", ")],
            ["Mapper", `version ${span.mapper}`],
            ["Received", exact(span.received_at)],
          ]}
        />
      </Section>
    </>
  );
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="section">
      <h3>{title}</h3>
      {children}
    </section>
  );
}

function Pairs({ pairs }: { pairs: readonly (readonly [string, string | null])[] }) {
  const known = pairs.filter(([, value]) => value !== null && value !== "");
  if (known.length === 0) return <p className="muted">Nothing reported.</p>;
  return (
    <dl className="pairs">
      {known.map(([name, value]) => (
        <div key={name} style={{ display: "contents" }}>
          <dt>{name}</dt>
          <dd dir="auto">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

const INPUT: readonly [keyof Usage, string][] = [
  ["cache_read_tokens", "read from cache"],
  ["cache_write_tokens", "written to cache"],
  ["input_audio_tokens", "audio"],
  ["input_image_tokens", "image"],
];
const OUTPUT: readonly [keyof Usage, string][] = [
  ["reasoning_tokens", "reasoning"],
  ["output_audio_tokens", "audio"],
];

function UsageTable({ usage }: { usage: Usage }) {
  const said = (key: keyof Usage): boolean => usage[key] !== null && usage[key] !== undefined;
  if (!said("input_tokens") && !said("output_tokens")) return null;
  const part = ([key, name]: readonly [keyof Usage, string]): ReactNode =>
    said(key) ? (
      <tr key={key} className="sub">
        <th scope="row">of which {name}</th>
        <td>{count(usage[key] ?? 0)}</td>
      </tr>
    ) : null;
  const total = (key: keyof Usage, name: string): ReactNode => (
    <tr>
      <th scope="row">{name}</th>
      <td>{said(key) ? count(usage[key] ?? 0) : <span className="muted">not reported</span>}</td>
    </tr>
  );
  return (
    <Section title="Tokens">
      <table className="buckets">
        <tbody>
          {total("input_tokens", "Input")}
          {INPUT.map(part)}
          {total("output_tokens", "Output")}
          {OUTPUT.map(part)}
        </tbody>
      </table>
    </Section>
  );
}

/** The call's own rate is that of its day; nothing where the amount stands above in that currency already. */
function shownCost(shown: NonNullable<Cost["shown"]>, currency: string): string | null {
  if (shown.currency === currency || shown.currency === "USD") return null;
  return `${money(shown.nano, shown.currency)} at the rate of ${shown.rate_day ?? "its day"}`;
}

const STATES: Record<string, string> = {
  computed: "computed from the price table",
  provided: "provided by the emitter",
  unpriced: "unpriced",
};

function CostTable({ cost }: { cost: Cost }) {
  const isUnpriced = cost.state === "unpriced" || cost.nano === null || cost.nano === undefined;
  return (
    <Section title="Cost">
      {!isUnpriced && (
        <table className="buckets">
          <tbody>
            {Object.entries(cost.detail).map(([bucket, nano]) => (
              <tr key={bucket}>
                <th scope="row">{bucket.replaceAll("_", " ").replace(":", ": ").replace(/ tokens$/, "")}</th>
                <td>{money(nano, cost.currency)}</td>
              </tr>
            ))}
            <tr className="total">
              <th scope="row">Total</th>
              <td>{money(cost.nano, cost.currency)}</td>
            </tr>
          </tbody>
        </table>
      )}
      <Pairs
        pairs={[
          ["State", STATES[cost.state] ?? cost.state],
          [cost.confidence ? "How sure" : "Why", cost.reason ?? null],
          ["Price source", cost.source ?? null],
          ["Price version", cost.version ?? null],
          ["In US dollars", cost.currency === "USD" || isUnpriced ? null : money(cost.nano_usd)],
          ["Shown as", cost.shown ? shownCost(cost.shown, cost.currency) : null],
        ]}
      />
    </Section>
  );
}
