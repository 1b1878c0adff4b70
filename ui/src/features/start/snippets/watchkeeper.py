import watchkeeper as wk
from openai import OpenAI

wk.init(service="my-app")
client = wk.wrap(OpenAI())

client.chat.completions.create(
    model="gpt-4o-mini",
    messages=[{"role": "user", "content": "Is anybody watching?"}],
)
