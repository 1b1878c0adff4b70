pip install helicone-helpers openai
export HELICONE_LOGGING_ENDPOINT={{endpoint}}
export HELICONE_API_KEY={{secret}}
