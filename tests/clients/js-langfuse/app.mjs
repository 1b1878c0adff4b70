// Langfuse's JavaScript SDK 5 with its wrapper of OpenAI's client, set up as its documentation says.
//
// The address and the keys come from LANGFUSE_*.

import { observeOpenAI } from "@langfuse/openai";
import { LangfuseSpanProcessor } from "@langfuse/otel";
import { propagateAttributes, startActiveObservation } from "@langfuse/tracing";
import { NodeSDK } from "@opentelemetry/sdk-node";
import OpenAI from "openai";

import * as said from "../conversation.mjs";

const sdk = new NodeSDK({ spanProcessors: [new LangfuseSpanProcessor()] });
sdk.start();

const lookUp = (asked) =>
  startActiveObservation(
    "get_weather",
    (span) => {
      const output = said.getWeather(asked);
      span.update({ input: asked, output });
      return output;
    },
    { asType: "tool" },
  );

const whose = { sessionId: said.SESSION, userId: said.USER, tags: said.TAGS, metadata: said.METADATA };
await propagateAttributes(whose, () =>
  startActiveObservation(
    said.SERVICE,
    async (span) => {
      const output = await said.talk(observeOpenAI(new OpenAI({ maxRetries: 0 })), lookUp);
      span.update({ input: said.QUESTION, output });
    },
    { asType: "agent" },
  ),
);
await sdk.shutdown();
