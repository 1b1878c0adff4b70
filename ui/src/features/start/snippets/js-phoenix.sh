npm install @arizeai/phoenix-otel @arizeai/openinference-instrumentation-openai openai
export PHOENIX_COLLECTOR_ENDPOINT={{endpoint}}
export PHOENIX_API_KEY={{secret}}
