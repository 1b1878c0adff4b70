// The real Gemini CLI, run without a terminal: it is asked, calls a tool of an MCP server, and answers; then a call fails.
//
// Its telemetry goes where GEMINI_TELEMETRY_* say; what has no variable stands in its settings file.

import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import * as said from "../conversation.mjs";

const home = process.env.HOME;
const gemini = createRequire(import.meta.url).resolve("@google/gemini-cli/bundle/gemini.js");
const weather = fileURLToPath(new URL("../weather.mjs", import.meta.url));
const system = join(home, "system.md");
const settings = {
  general: { maxAttempts: 1, enableAutoUpdate: false },
  security: { auth: { selectedType: "gemini-api-key" } },
  tools: { core: ["mcp_weather_get_weather"] },
  mcpServers: { weather: { command: process.execPath, args: [weather], trust: true } },
};
mkdirSync(join(home, ".gemini"));
writeFileSync(join(home, ".gemini", "settings.json"), JSON.stringify(settings));
writeFileSync(system, said.SYSTEM);

function ask(model) {
  const words = ["--prompt", said.QUESTION, "--skip-trust", "--model", model];
  const env = { ...process.env, GEMINI_SYSTEM_MD: system, TMPDIR: home };
  return spawnSync(process.execPath, [gemini, ...words], { encoding: "utf8", cwd: home, env, input: "" });
}

const answered = ask("gemini-2.5-flash");
process.stderr.write(answered.stderr);
if (answered.status !== 0 || !answered.stdout.includes("sunny")) throw new Error(answered.stdout);

const failed = ask(said.BROKEN_MODEL);
if (!failed.stderr.includes("the model is broken")) throw new Error(failed.stdout + failed.stderr);
