// The weather as a tool of the Model Context Protocol, over stdio: as much of the protocol as one tool needs.

import { createInterface } from "node:readline";

import * as said from "./conversation.mjs";

const { name, description, parameters } = said.TOOLS[0].function;
const answers = {
  initialize: ({ protocolVersion }) => ({
    protocolVersion,
    capabilities: { tools: {} },
    serverInfo: { name: "weather", version: "1.0.0" },
  }),
  "tools/list": () => ({ tools: [{ name, description, inputSchema: parameters }] }),
  "tools/call": (sent) => ({ content: [{ type: "text", text: JSON.stringify(said.getWeather(sent.arguments)) }] }),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params } = JSON.parse(line);
  if (id === undefined) continue;
  const result = answers[method]?.(params) ?? {};
  process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", id, result })}\n`);
}
