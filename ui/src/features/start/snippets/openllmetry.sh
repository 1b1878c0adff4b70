pip install traceloop-sdk openai
export TRACELOOP_BASE_URL={{endpoint}}
export TRACELOOP_API_KEY={{secret}}
export TRACELOOP_TELEMETRY=FALSE
