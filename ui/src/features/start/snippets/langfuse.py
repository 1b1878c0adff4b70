from langfuse import get_client
from langfuse.openai import OpenAI

client = OpenAI()

client.chat.completions.create(
    model="gpt-4o-mini",
    messages=[{"role": "user", "content": "Is anybody watching?"}],
)

get_client().flush()
