npm install @langfuse/openai @langfuse/otel @opentelemetry/sdk-node openai
export LANGFUSE_BASE_URL={{endpoint}}
export LANGFUSE_PUBLIC_KEY={{public}}
export LANGFUSE_SECRET_KEY={{secret}}
export OTEL_SERVICE_NAME=my-app
