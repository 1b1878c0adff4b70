// The one conversation every real client has, in JavaScript: the twin of conversation.py.

export const MODEL = "gpt-4o-mini";
export const SYSTEM = "You are a weather bot.";
export const QUESTION = "What is the weather in Bern?";
export const SESSION = "session-1";
export const USER = "user-1";
export const TAGS = ["tag-a", "tag-b"];
export const METADATA = { team: "weather" };
export const SERVICE = "weather-bot";
export const EMBEDDED = "weather in Bern";
export const EMBEDDING_MODEL = "text-embedding-3-small";
export const BROKEN_MODEL = "broken";
export const DESCRIPTION = "Look up the weather of a city.";
export const TOOLS = [
  {
    type: "function",
    function: {
      name: "get_weather",
      description: DESCRIPTION,
      parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
    },
  },
];

/** Look up the weather of a city. */
export function getWeather({ city }) {
  return { city, temperature: 21, sky: "clear" };
}

/** Have the conversation through OpenAI's own client; `lookUp` is the tool, traced or not. */
export async function talk(client, lookUp = getWeather) {
  const messages = [
    { role: "system", content: SYSTEM },
    { role: "user", content: QUESTION },
  ];
  const asked = await client.chat.completions.create({ model: MODEL, messages, tools: TOOLS, temperature: 0.2 });
  const [call] = asked.choices[0].message.tool_calls;
  const found = await lookUp(JSON.parse(call.function.arguments));
  messages.push(asked.choices[0].message);
  messages.push({ role: "tool", tool_call_id: call.id, content: JSON.stringify(found) });
  const answer = await client.chat.completions.create({ model: MODEL, messages, tools: TOOLS, temperature: 0.2 });

  const stream = await client.chat.completions.create({
    model: MODEL,
    messages: [{ role: "user", content: QUESTION }],
    stream: true,
    stream_options: { include_usage: true },
  });
  for await (const chunk of stream) void chunk;

  await client.embeddings.create({ model: EMBEDDING_MODEL, input: EMBEDDED });
  await failing(() =>
    client.chat.completions.create({ model: BROKEN_MODEL, messages: [{ role: "user", content: QUESTION }] }),
  );
  return answer.choices[0].message.content;
}

/** Make a call that the provider refuses, and see that it did. */
export async function failing(call) {
  try {
    await call();
  } catch (error) {
    if ((error.status ?? error.statusCode) === 500) return;
    throw error;
  }
  throw new Error("the broken model answered");
}
