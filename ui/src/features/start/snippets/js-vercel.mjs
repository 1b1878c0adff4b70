import { openai } from "@ai-sdk/openai";
import { OpenTelemetry } from "@ai-sdk/otel";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { generateText, registerTelemetry } from "ai";

const sdk = new NodeSDK();
sdk.start();
registerTelemetry(new OpenTelemetry({ usage: true, runtimeContext: true, embedding: true }));

await generateText({ model: openai.chat("gpt-4o-mini"), prompt: "Is anybody watching?" });
await sdk.shutdown();
