// The Vercel AI SDK 7 with its OpenTelemetry integration, set up as its documentation says.
//
// OTLP goes where OTEL_* say, in the encoding they say. AI_SDK_DIALECT=legacy writes `ai.*`, and AI_SDK_INTERFACE=responses
// speaks to /v1/responses, which `openai(model)` does by itself, instead of /v1/chat/completions, which every compatible
// server has.

import { LegacyOpenTelemetry, OpenTelemetry } from "@ai-sdk/otel";
import { createOpenAI } from "@ai-sdk/openai";
import { trace } from "@opentelemetry/api";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { embed, generateText, registerTelemetry, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";

import * as said from "../conversation.mjs";

const sdk = new NodeSDK();
sdk.start();
registerTelemetry(
  process.env.AI_SDK_DIALECT === "legacy"
    ? new LegacyOpenTelemetry()
    : new OpenTelemetry({ usage: true, runtimeContext: true, embedding: true }),
);

const openai = createOpenAI();
const chat = process.env.AI_SDK_INTERFACE === "responses" ? openai : openai.chat;
const runtimeContext = { sessionId: said.SESSION, userId: said.USER, tags: said.TAGS, ...said.METADATA };
const telemetry = {
  functionId: "answer",
  includeRuntimeContext: { sessionId: true, userId: true, tags: true, team: true },
};
const asIs = { runtimeContext, telemetry, maxRetries: 0 };
const tools = {
  get_weather: tool({
    description: said.DESCRIPTION,
    inputSchema: z.object({ city: z.string() }),
    execute: said.getWeather,
  }),
};

await trace.getTracer(said.SERVICE).startActiveSpan(said.SERVICE, async (root) => {
  const model = chat(said.MODEL);
  await generateText({
    ...asIs,
    model,
    instructions: said.SYSTEM,
    prompt: said.QUESTION,
    tools,
    temperature: 0.2,
    stopWhen: stepCountIs(2),
  });

  const stream = streamText({ ...asIs, model, prompt: said.QUESTION });
  for await (const piece of stream.textStream) void piece;

  await embed({ ...asIs, model: openai.embedding(said.EMBEDDING_MODEL), value: said.EMBEDDED });
  await said.failing(() => generateText({ ...asIs, model: chat(said.BROKEN_MODEL), prompt: said.QUESTION }));
  root.end();
});
await sdk.shutdown();
