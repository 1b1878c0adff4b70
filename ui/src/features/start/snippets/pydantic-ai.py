import logfire
from pydantic_ai import Agent

logfire.configure(send_to_logfire=False)
logfire.instrument_pydantic_ai()

agent = Agent("openai-chat:gpt-4o-mini")
print(agent.run_sync("Is anybody watching?").output)
