import mlflow
from openai import OpenAI

mlflow.openai.autolog()
client = OpenAI()

client.chat.completions.create(
    model="gpt-4o-mini",
    messages=[{"role": "user", "content": "Is anybody watching?"}],
)

mlflow.flush_trace_async_logging()
