/** What the made-up support bot says. */

import type { Content, Message } from "../src/api/types.ts";

export const QUESTIONS = [
  {
    ask: "Where is my order A-1042? It should have been here on Monday.",
    answer: "Your order **A-1042** left our warehouse on Monday and is with DHL.\n\n- Expected: *Thursday, 26 November*\n- Tracking: `JD0146 0000 1042`\n\nShall I send you a message when it is out for delivery?",
  },
  {
    ask: "How do I export all my invoices of this year as PDF?",
    answer: "Open **Settings → Billing → Invoices**, pick the year and press *Export*. For a script:\n\n```bash\ncurl -o invoices.zip https://api.example.net/invoices?year=2026\n```\n\nThe archive holds one PDF an invoice.",
  },
  { ask: "Kann ich mein Abo für zwei Monate pausieren?", answer: "Ja. Unter **Konto → Abo** wählen Sie *Pausieren* und zwei Monate. Ihre Daten bleiben erhalten." },
  { ask: "The app crashes when I upload a 4K video from my phone", answer: "Videos above 2 GB fail on version 7.1. Version **7.2** fixes it; until then, choose *1080p* before uploading." },
  { ask: "Please delete my account and everything you know about me.", answer: "I have started the deletion. You will get one mail to confirm it; after that everything is erased within 30 days." },
] as const;

type Question = (typeof QUESTIONS)[number];

const says = (role: string, text: string): Message => ({ role, parts: [{ type: "text", text }] });
const chat = (messages: Message[]): Content => ({ messages, documents: [] });

export function conversation(question: Question, fails: boolean) {
  const system = says("system", "You are the support assistant of Example Ltd. Answer briefly, only from the documents given. Never promise refunds.");
  const ask = says("user", question.ask);
  const call: Message = {
    role: "assistant",
    parts: [
      { type: "reasoning", text: "The person asks about an order. I need its state before I can answer." },
      { type: "tool_call", id: "call_9f3a", name: "look_up_order", arguments: { order: "A-1042", include: ["carrier", "eta"] } },
    ],
    finish_reason: "tool_calls",
  };
  const result: Message = {
    role: "tool",
    parts: [{ type: "tool_result", id: "call_9f3a", result: { status: "shipped", carrier: "DHL", eta: "2026-11-26" } }],
  };
  return {
    first: chat([system, ask]),
    callOut: chat([call]),
    second: chat([system, ask, call, result]),
    answer: fails ? null : chat([{ ...says("assistant", question.answer), finish_reason: "stop" }]),
    tools: [{ type: "function", function: { name: "look_up_order", parameters: { type: "object", properties: { order: { type: "string" } } } } }],
    documents: {
      messages: [],
      documents: [
        { id: "kb/shipping.md#3", content: "Orders leave the warehouse within one working day. Delivery takes two to four days.", score: 0.913, metadata: { section: "Shipping", updated: "2026-10-02" } },
        { id: "kb/returns.md#1", content: "Goods can be returned within 30 days in their original packing.", score: 0.742 },
      ],
    } satisfies Content,
  };
}
