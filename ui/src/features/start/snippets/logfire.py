import logfire
from openai import OpenAI

logfire.configure(send_to_logfire=False)
logfire.instrument_openai(version=2)
client = OpenAI()

client.chat.completions.create(
    model="gpt-4o-mini",
    messages=[{"role": "user", "content": "Is anybody watching?"}],
)
