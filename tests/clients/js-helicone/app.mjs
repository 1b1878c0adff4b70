// Helicone's own helper for logging by hand, set up as its documentation says: each call is made, and then told of.
//
// The address comes from HELICONE_LOGGING_ENDPOINT, the key from HELICONE_API_KEY.

import { HeliconeManualLogger } from "@helicone/helpers";
import OpenAI from "openai";

import * as said from "../conversation.mjs";

const openai = new OpenAI({ maxRetries: 0 });
const logger = new HeliconeManualLogger({
  apiKey: process.env.HELICONE_API_KEY,
  loggingEndpoint: process.env.HELICONE_LOGGING_ENDPOINT,
  headers: {
    "Helicone-User-Id": said.USER,
    "Helicone-Session-Id": said.SESSION,
    "Helicone-Session-Name": "answer",
    "Helicone-Property-Team": said.METADATA.team,
    "Helicone-Property-App": said.SERVICE,
    "Helicone-Property-Environment": "test",
    "Helicone-Property-Release": "1.2.3",
  },
});
const at = (path) => ({ "Helicone-Session-Path": path });

/** Make a call and log its whole answer. */
const logged = (request, call, path) =>
  logger.logRequest(
    request,
    async (recorder) => {
      const answer = await call(request);
      recorder.appendResults(answer);
      return answer;
    },
    at(path),
    "openai",
  );
const chat = (request) => openai.chat.completions.create(request);

const messages = [
  { role: "system", content: said.SYSTEM },
  { role: "user", content: said.QUESTION },
];
const asked = await logged({ model: said.MODEL, messages, tools: said.TOOLS, temperature: 0.2 }, chat, "/answer/ask");
const [call] = asked.choices[0].message.tool_calls;
const found = await logged(
  { _type: "tool", toolName: "get_weather", input: JSON.parse(call.function.arguments) },
  (request) => said.getWeather(request.input),
  "/answer/tool",
);
messages.push(asked.choices[0].message);
messages.push({ role: "tool", tool_call_id: call.id, content: JSON.stringify(found) });
await logged({ model: said.MODEL, messages, tools: said.TOOLS, temperature: 0.2 }, chat, "/answer/answer");

const question = [{ role: "user", content: said.QUESTION }];
const request = { model: said.MODEL, messages: question, stream: true, stream_options: { include_usage: true } };
const streamed = logger.logBuilder(request, at("/answer/stream"));
await streamed.attachStream(await chat(request));
await streamed.sendLog();

await logged(
  { model: said.EMBEDDING_MODEL, input: said.EMBEDDED },
  (request) => openai.embeddings.create(request),
  "/answer/embedding",
);

const broken = { model: said.BROKEN_MODEL, messages: question };
const failed = logger.logBuilder(broken, at("/answer/failure"));
await said.failing(async () => {
  try {
    await chat(broken);
  } catch (error) {
    failed.setError(error);
    throw error;
  }
});
await failed.sendLog();
