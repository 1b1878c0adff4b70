import { observeOpenAI } from "@langfuse/openai";
import { LangfuseSpanProcessor } from "@langfuse/otel";
import { NodeSDK } from "@opentelemetry/sdk-node";
import OpenAI from "openai";

const sdk = new NodeSDK({ spanProcessors: [new LangfuseSpanProcessor()] });
sdk.start();
const client = observeOpenAI(new OpenAI());

await client.chat.completions.create({
  model: "gpt-4o-mini",
  messages: [{ role: "user", content: "Is anybody watching?" }],
});
await sdk.shutdown();
