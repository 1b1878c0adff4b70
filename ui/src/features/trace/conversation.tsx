/** Input and output: a chat where it is one, documents where it retrieved, else the value as it came. */

import { useState } from "react";
import type { Content, Document, Message, Part, SpanDetail } from "@/api/types";
import { Notice } from "@/components/basics";
import { Json, Prose } from "@/components/text";
import { parse } from "@/core/json";

export function Conversation({ span }: { span: SpanDetail }) {
  const [plain, setPlain] = useState(false);
  if (isEmpty(span.input) && isEmpty(span.output)) {
    return (
      <Notice title="No content">
        <p>This span carries no input or output. Many instrumentations send content only when asked to; the Raw tab has everything that arrived.</p>
      </Notice>
    );
  }
  const hasChat = (span.input?.messages.length ?? 0) + (span.output?.messages.length ?? 0) > 0;
  return (
    <>
      {hasChat && (
        <div className="row" style={{ justifyContent: "flex-end", marginBottom: -26, zIndex: 1 }}>
          <button type="button" className="button small quiet" aria-pressed={plain} onClick={() => setPlain(!plain)}>
            {plain ? "Show formatted" : "Show as plain text"}
          </button>
        </div>
      )}
      <Side title="Input" content={span.input} plain={plain} />
      <Side title="Output" content={span.output} plain={plain} />
      {span.tools.length > 0 && (
        <details className="fold">
          <summary>{span.tools.length === 1 ? "1 tool offered" : `${span.tools.length} tools offered`}</summary>
          <Json value={span.tools} />
        </details>
      )}
    </>
  );
}

function isEmpty(content: Content | null): boolean {
  return content === null || (content.messages.length === 0 && content.documents.length === 0 && (content.text ?? "") === "");
}

function Side({ title, content, plain }: { title: string; content: Content | null; plain: boolean }) {
  if (content === null || isEmpty(content)) return null;
  return (
    <section className="section" aria-label={title}>
      <h3>{title}</h3>
      {content.messages.map((message, index) => <Bubble key={index} message={message} plain={plain} />)}
      {content.documents.map((document, index) => <DocumentCard key={index} document={document} rank={index + 1} />)}
      {content.messages.length === 0 && content.documents.length === 0 && <Value text={content.text ?? ""} />}
    </section>
  );
}

function Value({ text }: { text: string }) {
  if (parse(text) !== text) return <Json value={text} />;
  return (
    <div className="bubble">
      <div className="parts"><Prose text={text} plain /></div>
    </div>
  );
}

function Bubble({ message, plain }: { message: Message; plain: boolean }) {
  return (
    <article className={`bubble r-${/^[a-z]+$/.test(message.role) ? message.role : "other"}`} aria-label={`${message.role} message`}>
      <header>
        <b>{message.role}</b>
        {message.name !== null && message.name !== undefined && <span className="clip">{message.name}</span>}
        <span className="grow" />
        {message.finish_reason !== null && message.finish_reason !== undefined && <span>finished: {message.finish_reason}</span>}
      </header>
      <div className="parts">
        {message.parts.length === 0 && <span className="muted">(empty)</span>}
        {message.parts.map((part, index) => <PartView key={index} part={part} plain={plain} />)}
      </div>
    </article>
  );
}

function text(value: unknown): string {
  return typeof value === "string" ? value : value === undefined || value === null ? "" : JSON.stringify(value);
}

function PartView({ part, plain }: { part: Part; plain: boolean }) {
  switch (part["type"]) {
    case "text":
      return text(part["text"]) === "" ? <span className="muted">(empty)</span> : <Prose text={text(part["text"])} plain={plain} />;
    case "reasoning":
      return (
        <details className="fold">
          <summary>Reasoning</summary>
          <Prose text={text(part["text"])} plain={plain} />
        </details>
      );
    case "tool_call":
      return <Call verb="calls" name={text(part["name"])} id={text(part["id"])} value={part["arguments"]} />;
    case "tool_result":
      return <Call verb="result" name="" id={text(part["id"])} value={part["result"]} />;
    case "media":
      return <Media part={part} />;
    default:
      return (
        <details className="fold">
          <summary>{text(part["kind"]) === "" ? "Other content" : text(part["kind"])}</summary>
          <Json value={part["value"] ?? part} />
        </details>
      );
  }
}

function Call({ verb, name, id, value }: { verb: string; name: string; id: string; value: unknown }) {
  const isNothing = value === null || value === undefined;
  return (
    <div className="call">
      <header>
        <span>{verb}</span>
        {name !== "" && <b className="clip">{name}</b>}
        <span className="grow" />
        <span className="mono clip">{id}</span>
      </header>
      {isNothing ? null : <Json value={value} />}
    </div>
  );
}

/** Media is named, never loaded: a picture's address in telemetry would tell its owner who is reading. */
function Media({ part }: { part: Part }) {
  const kind = [text(part["modality"]), text(part["mime_type"])].filter((each) => each !== "").join(" · ");
  const data = text(part["data"]);
  const where = text(part["uri"]) || text(part["file_id"]) || (data === "" ? "" : `${Math.round((data.length * 3) / 4096)} KiB inline`);
  return (
    <div className="row">
      <span className="tag accent">{kind === "" ? "media" : kind}</span>
      <span className="mono clip" title={where}>{where}</span>
    </div>
  );
}

function DocumentCard({ document, rank }: { document: Document; rank: number }) {
  const score = typeof document.score === "number" ? document.score : null;
  const metadata = document.metadata ?? {};
  return (
    <article className="doc">
      <header>
        <span>#{rank}</span>
        {document.id !== null && document.id !== undefined && <span className="mono clip">{document.id}</span>}
        <span className="grow" />
        {score !== null && (
          <>
            {score >= 0 && score <= 1 && <span className="score-bar" aria-hidden="true"><i style={{ width: `${score * 100}%` }} /></span>}
            <span>score {Math.round(score * 10_000) / 10_000}</span>
          </>
        )}
      </header>
      {document.content !== null && document.content !== undefined && <Prose text={document.content} plain />}
      {Object.keys(metadata).length > 0 && (
        <details className="fold">
          <summary>Metadata</summary>
          <Json value={metadata} />
        </details>
      )}
    </article>
  );
}
