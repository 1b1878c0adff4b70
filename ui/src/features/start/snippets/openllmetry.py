from openai import OpenAI
from traceloop.sdk import Traceloop

Traceloop.init(app_name="my-app")
client = OpenAI()

client.chat.completions.create(
    model="gpt-4o-mini",
    messages=[{"role": "user", "content": "Is anybody watching?"}],
)
