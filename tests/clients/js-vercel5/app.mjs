// The Vercel AI SDK 5, whose telemetry is asked for call by call, set up as its documentation says.

import { createOpenAI } from "@ai-sdk/openai";
import { trace } from "@opentelemetry/api";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { embed, generateText, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";

import * as said from "../conversation.mjs";

const sdk = new NodeSDK();
sdk.start();

const openai = createOpenAI();
const asIs = {
  maxRetries: 0,
  experimental_telemetry: {
    isEnabled: true,
    functionId: "answer",
    metadata: { sessionId: said.SESSION, userId: said.USER, tags: said.TAGS, ...said.METADATA },
  },
};
const tools = {
  get_weather: tool({
    description: said.DESCRIPTION,
    inputSchema: z.object({ city: z.string() }),
    execute: said.getWeather,
  }),
};

await trace.getTracer(said.SERVICE).startActiveSpan(said.SERVICE, async (root) => {
  const model = openai.chat(said.MODEL);
  await generateText({
    ...asIs,
    model,
    system: said.SYSTEM,
    prompt: said.QUESTION,
    tools,
    temperature: 0.2,
    stopWhen: stepCountIs(2),
  });

  const stream = streamText({ ...asIs, model, prompt: said.QUESTION });
  for await (const piece of stream.textStream) void piece;

  const embedding = openai.textEmbeddingModel(said.EMBEDDING_MODEL);
  await embed({ ...asIs, model: embedding, value: said.EMBEDDED });
  await said.failing(() => generateText({ ...asIs, model: openai.chat(said.BROKEN_MODEL), prompt: said.QUESTION }));
  root.end();
});
await sdk.shutdown();
