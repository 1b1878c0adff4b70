pip install watchkeeper openai
export WATCHKEEPER_ENDPOINT={{endpoint}}
export WATCHKEEPER_API_KEY={{secret}}
