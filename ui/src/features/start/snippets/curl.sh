NOW=$(date +%s)
curl {{endpoint}}/v1/traces -H 'Content-Type: application/json' \
  -H 'Authorization: Bearer {{secret}}' \
  -d '{"resourceSpans": [{
  "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "my-app"}}]},
  "scopeSpans": [{"spans": [{
    "traceId": "'$(od -An -tx1 -N16 /dev/urandom | tr -d ' \n')'",
    "spanId": "'$(od -An -tx1 -N8 /dev/urandom | tr -d ' \n')'",
    "name": "chat gpt-4o-mini", "kind": 3,
    "startTimeUnixNano": "'$NOW'000000000", "endTimeUnixNano": "'$NOW'840000000",
    "attributes": [
      {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
      {"key": "gen_ai.provider.name", "value": {"stringValue": "openai"}},
      {"key": "gen_ai.request.model", "value": {"stringValue": "gpt-4o-mini"}},
      {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "9"}},
      {"key": "gen_ai.usage.output_tokens", "value": {"intValue": "12"}}
    ]}]}]}]}'
