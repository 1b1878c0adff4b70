import litellm

litellm.callbacks = ["otel"]

litellm.completion(
    model="openai/gpt-4o-mini",
    messages=[{"role": "user", "content": "Is anybody watching?"}],
)
