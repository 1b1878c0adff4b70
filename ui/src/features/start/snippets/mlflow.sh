pip install mlflow-tracing sqlparse pyyaml openai opentelemetry-exporter-otlp-proto-http
export OTEL_SERVICE_NAME=my-app
export OTEL_EXPORTER_OTLP_TRACES_ENDPOINT={{endpoint}}/v1/traces
export OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/protobuf
export OTEL_EXPORTER_OTLP_TRACES_HEADERS=Authorization=Bearer%20{{secret}}
