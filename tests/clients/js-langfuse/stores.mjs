// What an application does with Langfuse's prompts and datasets, by its JavaScript SDK; prints what it got.

import { LangfuseClient } from "@langfuse/client";
import { LangfuseSpanProcessor } from "@langfuse/otel";
import { propagateAttributes, startObservation } from "@langfuse/tracing";
import { NodeSDK } from "@opentelemetry/sdk-node";

const sdk = new NodeSDK({ spanProcessors: [new LangfuseSpanProcessor()] });
sdk.start();
const langfuse = new LangfuseClient();

async function prompts() {
  const greet = { name: "folder/greet", type: "text" };
  const made = await langfuse.prompt.create({
    ...greet,
    prompt: "Hi {{who}}",
    labels: ["production"],
    tags: ["t"],
    config: { model: "m" },
    commitMessage: "first",
  });
  await langfuse.prompt.create({ ...greet, prompt: "Hello {{who}}", labels: ["staging"] });
  const chat = [
    { role: "system", content: "Be {{how}}" },
    { type: "placeholder", name: "history" },
  ];
  await langfuse.prompt.create({ name: "talk", type: "chat", prompt: chat, labels: ["production"] });
  const get = (options) => langfuse.prompt.get("folder/greet", options);
  const talk = await langfuse.prompt.get("talk", { type: "chat" });
  const told = {
    made: made.version,
    production: (await get()).compile({ who: "you" }),
    config: (await get()).config,
    version: (await get({ version: 2 })).prompt,
    staging: (await get({ label: "staging" })).version,
    latest: (await get({ label: "latest" })).version,
    chat: talk.compile({ how: "kind" }, { history: [{ role: "user", content: "Weather?" }] }),
    fallback: (await langfuse.prompt.get("nowhere", { fallback: "plan b", maxRetries: 0 })).prompt,
  };
  await langfuse.prompt.update({ name: "folder/greet", version: 2, newLabels: ["production"] });
  told.moved = (await get({ cacheTtlSeconds: 0 })).version;
  const names = async () => (await langfuse.api.prompts.list()).data.map((one) => one.name);
  told.listed = await names();
  await langfuse.prompt.delete("talk");
  told.left = await names();
  return told;
}

async function datasets() {
  const name = "folder/cities";
  await langfuse.api.datasets.create({ name, description: "where it rains", metadata: { team: "weather" } });
  const item = (id, city, expectedOutput) =>
    langfuse.api.datasetItems.create({ datasetName: name, id, input: { city }, expectedOutput });
  await item("paris", "Paris", "rain");
  await item("rome", "Rome", "heat");
  const found = await langfuse.dataset.get(name);
  const result = await found.runExperiment({
    name: "first try",
    runName: "try/1",
    task: async ({ input }) => (input.city === "Paris" ? "rain" : "snow"),
  });
  await langfuse.flush();
  const told = {
    metadata: found.metadata,
    items: found.items.map((one) => [one.id, one.input.city, one.expectedOutput]).sort(),
    outputs: result.itemResults.map((one) => one.output).sort(),
    run: result.datasetRunId,
  };
  const run = await langfuse.api.datasets.getRun(name, "try/1");
  told.read = [run.id, run.datasetRunItems.map((one) => one.datasetItemId).sort()];
  told.runs = (await langfuse.api.datasets.getRuns(name)).data.map((one) => one.name);
  await langfuse.api.datasetItems.delete("rome");
  told.left = (await langfuse.dataset.get(name)).items.map((one) => one.id);
  return told;
}

async function sessions() {
  for (const number of [1, 2]) {
    await propagateAttributes({ sessionId: "talk/1", userId: "ada" }, async () => {
      startObservation(`turn ${number}`, { input: { number } }).end();
    });
  }
  await sdk.shutdown(); // sends what waits
  for (let tries = 0; tries < 100; tries += 1) {
    const listed = (await langfuse.api.sessions.list({ limit: 10 })).data.map((one) => one.id);
    const found = listed.length > 0 ? await langfuse.api.sessions.get("talk/1") : { traces: [] };
    if (found.traces.length === 2) {
      const told = found.traces.map((one) => one.input.number).sort();
      return { listed, users: found.traces.map((one) => one.userId), told };
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return null;
}

console.log(JSON.stringify({ prompts: await prompts(), datasets: await datasets(), sessions: await sessions() }));
await langfuse.shutdown();
