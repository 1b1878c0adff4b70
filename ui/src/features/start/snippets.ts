/** What to paste, with this server's own address in it. */

export type Way = "python" | "otel" | "curl";

export const WAYS: readonly { id: Way; name: string }[] = [
  { id: "python", name: "Python" },
  { id: "otel", name: "OpenTelemetry" },
  { id: "curl", name: "curl" },
];

export function snippet(way: Way, endpoint: string): string {
  switch (way) {
    case "python":
      return python(endpoint);
    case "otel":
      return `# Any OpenTelemetry SDK, in any language
export OTEL_SERVICE_NAME=my-app
export OTEL_EXPORTER_OTLP_ENDPOINT=${endpoint}
export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
export OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=SPAN_AND_EVENT`;
    case "curl":
      return curl(endpoint);
  }
}

function python(endpoint: string): string {
  const address = endpoint === "http://127.0.0.1:7070" ? "" : `, endpoint="${endpoint}"`;
  return `# pip install watchkeeper openai

import watchkeeper as wk
from openai import OpenAI

wk.init(service="my-app"${address})
client = wk.wrap(OpenAI())

client.chat.completions.create(
    model="gpt-4o-mini",
    messages=[{"role": "user", "content": "Is anybody watching?"}],
)`;
}

function curl(endpoint: string): string {
  return `NOW=$(date +%s)
curl ${endpoint}/v1/traces -H 'Content-Type: application/json' -d '{"resourceSpans": [{
  "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "my-app"}}]},
  "scopeSpans": [{"spans": [{
    "traceId": "'$(od -An -tx1 -N16 /dev/urandom | tr -d ' \\n')'",
    "spanId": "'$(od -An -tx1 -N8 /dev/urandom | tr -d ' \\n')'",
    "name": "chat gpt-4o-mini", "kind": 3,
    "startTimeUnixNano": "'$NOW'000000000", "endTimeUnixNano": "'$NOW'840000000",
    "attributes": [
      {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
      {"key": "gen_ai.provider.name", "value": {"stringValue": "openai"}},
      {"key": "gen_ai.request.model", "value": {"stringValue": "gpt-4o-mini"}},
      {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "9"}},
      {"key": "gen_ai.usage.output_tokens", "value": {"intValue": "12"}}
    ]}]}]}]}'`;
}
