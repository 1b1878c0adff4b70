// Phoenix's JavaScript packages with their instrumentation of OpenAI's client, set up as their documentation says.
//
// The address and the key come from PHOENIX_*.

import { OpenAIInstrumentation } from "@arizeai/openinference-instrumentation-openai";
import {
  context,
  register,
  setMetadata,
  setSession,
  setTags,
  setUser,
  traceAgent,
  traceTool,
} from "@arizeai/phoenix-otel";
import OpenAI from "openai";

import * as said from "../conversation.mjs";

const provider = register({ projectName: said.SERVICE });
new OpenAIInstrumentation().manuallyInstrument(OpenAI);

const lookUp = traceTool(said.getWeather, { name: "get_weather" });
const answer = traceAgent(() => said.talk(new OpenAI({ maxRetries: 0 }), lookUp), { name: said.SERVICE });

let whose = setSession(context.active(), { sessionId: said.SESSION });
whose = setUser(whose, { userId: said.USER });
whose = setTags(whose, said.TAGS);
whose = setMetadata(whose, said.METADATA);
await context.with(whose, () => answer(said.QUESTION));
await provider.shutdown();
