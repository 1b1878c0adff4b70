npm install -g @google/gemini-cli
export GEMINI_TELEMETRY_ENABLED=true
export GEMINI_TELEMETRY_TRACES_ENABLED=true
export GEMINI_TELEMETRY_TARGET=local
export GEMINI_TELEMETRY_OTLP_ENDPOINT={{endpoint}}
export GEMINI_TELEMETRY_OTLP_PROTOCOL=http
export OTEL_EXPORTER_OTLP_HEADERS=Authorization=Bearer%20{{secret}}
export OTEL_SERVICE_NAME=my-app
gemini --prompt "Is anybody watching?"
