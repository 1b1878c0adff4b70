// The real Claude Code, run without a terminal: it is asked, calls a tool of an MCP server, and answers; then a call fails.
//
// Its telemetry goes where its own settings say; see client.toml.

import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

import * as said from "../conversation.mjs";

const claude = createRequire(import.meta.url).resolve("@anthropic-ai/claude-code/cli-wrapper.cjs");
const weather = fileURLToPath(new URL("../weather.mjs", import.meta.url));
const servers = { mcpServers: { weather: { command: process.execPath, args: [weather] } } };

function ask(...more) {
  const words = ["--print", said.QUESTION, "--system-prompt", said.SYSTEM, "--tools", "", "--strict-mcp-config", ...more];
  return spawnSync(process.execPath, [claude, ...words], { encoding: "utf8", cwd: process.env.HOME, input: "" });
}

const tool = ["--mcp-config", JSON.stringify(servers), "--allowedTools", "mcp__weather__get_weather"];
const answered = ask("--model", "claude-sonnet-5", ...tool);
process.stderr.write(answered.stderr);
if (answered.status !== 0 || !answered.stdout.includes("sunny")) throw new Error(answered.stdout);

const failed = ask("--model", said.BROKEN_MODEL);
if (failed.status !== 1) throw new Error(failed.stdout + failed.stderr);
