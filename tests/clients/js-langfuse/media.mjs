// What an application does with media by Langfuse's JavaScript SDK; prints what it got.

import { LangfuseClient } from "@langfuse/client";
import { LangfuseMedia } from "@langfuse/core";
import { LangfuseSpanProcessor } from "@langfuse/otel";
import { startActiveObservation } from "@langfuse/tracing";
import { NodeSDK } from "@opentelemetry/sdk-node";

const sdk = new NodeSDK({ spanProcessors: [new LangfuseSpanProcessor()] });
sdk.start();
const langfuse = new LangfuseClient();

const head = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const pixel = Buffer.concat([head, ...Array(40).fill(Buffer.from([...Array(256).keys()]))]);
const uri = `data:image/png;base64,${pixel.toString("base64")}`;
const page = new LangfuseMedia({
  source: "bytes",
  contentBytes: Buffer.from("%PDF-1.7 a page"),
  contentType: "application/pdf",
});
const media = new LangfuseMedia({ source: "base64_data_uri", base64DataUri: uri });

const trace = await startActiveObservation("look", async (span) => {
  const image = { type: "image_url", image_url: { url: uri } };
  span.update({
    input: [{ role: "user", content: [{ type: "text", text: "What is it?" }, image] }],
    output: { file: page },
  });
  return span.traceId;
});
await sdk.shutdown();

const found = await langfuse.api.media.get(await media.getId());
const got = Buffer.from(await (await fetch(found.url)).arrayBuffer());
const reference = await media.getTag();
const whole = await langfuse.media.resolveReferences({ obj: { a: [reference] }, resolveWith: "base64DataUri" });
console.log(
  JSON.stringify({
    trace,
    same: got.equals(pixel),
    about: [found.contentType, found.contentLength],
    page: (await langfuse.api.media.get(await page.getId())).mediaId,
    reference,
    resolved: whole.a[0] === uri,
  }),
);
await langfuse.shutdown();
