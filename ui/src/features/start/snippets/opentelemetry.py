from openai import OpenAI

client = OpenAI()

client.chat.completions.create(
    model="gpt-4o-mini",
    messages=[{"role": "user", "content": "Is anybody watching?"}],
)
