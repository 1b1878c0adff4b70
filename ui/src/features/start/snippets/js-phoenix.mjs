import { OpenAIInstrumentation } from "@arizeai/openinference-instrumentation-openai";
import { register } from "@arizeai/phoenix-otel";
import OpenAI from "openai";

const provider = register({ projectName: "my-app" });
new OpenAIInstrumentation().manuallyInstrument(OpenAI);

await new OpenAI().chat.completions.create({
  model: "gpt-4o-mini",
  messages: [{ role: "user", content: "Is anybody watching?" }],
});
await provider.shutdown();
