from openai import OpenAI
from phoenix.otel import register

register(project_name="my-app", protocol="http/protobuf", batch=True, auto_instrument=True)
client = OpenAI()

client.chat.completions.create(
    model="gpt-4o-mini",
    messages=[{"role": "user", "content": "Is anybody watching?"}],
)
