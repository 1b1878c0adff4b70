import os

from helicone_helpers import HeliconeManualLogger
from openai import OpenAI

client = OpenAI()
logger = HeliconeManualLogger(
    api_key=os.environ["HELICONE_API_KEY"],
    logging_endpoint=os.environ["HELICONE_LOGGING_ENDPOINT"],
    headers={"Helicone-Property-App": "my-app"},
)
request = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Is anybody watching?"}]}


def call(recorder):
    answer = client.chat.completions.create(**request)
    recorder.append_results(answer.model_dump())
    return answer


logger.log_request(request, call, {}, "openai")
