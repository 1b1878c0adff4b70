/** Untrusted text on the page: always React children, never HTML. */

import { Fragment, useState, type ReactNode } from "react";
import { parse, pretty, tokens } from "@/core/json";
import { parseBlocks, type Block, type Inline } from "@/core/markdown";
import { size } from "@/core/format";
import { CopyButton } from "./basics";

const SHOWN = 20_000;

/** Long text is cut until asked for, so that one huge message cannot stall the page. */
export function Clipped({ text, children }: { text: string; children: (shown: string) => ReactNode }) {
  const [whole, setWhole] = useState(false);
  if (whole || text.length <= SHOWN) return <>{children(text)}</>;
  return (
    <>
      {children(text.slice(0, SHOWN))}
      <button type="button" className="button small" onClick={() => setWhole(true)}>
        Show all {size(text.length)}
      </button>
    </>
  );
}

export function Prose({ text, plain }: { text: string; plain: boolean }) {
  return (
    <Clipped text={text}>
      {(shown) => plain ? <div className="plain" dir="auto">{shown}</div> : (
        <div className="prose" dir="auto">
          {parseBlocks(shown).map((block, index) => <BlockView key={index} block={block} />)}
        </div>
      )}
    </Clipped>
  );
}

function BlockView({ block }: { block: Block }) {
  switch (block.kind) {
    case "code":
      return <Code text={block.text} />;
    case "heading":
      return <p className={`heading h${block.level}`} dir="auto"><Inlines inline={block.inline} /></p>;
    case "list": {
      const items = block.items.map((item, index) => <li key={index} dir="auto"><Inlines inline={item} /></li>);
      return block.ordered ? <ol start={block.start}>{items}</ol> : <ul>{items}</ul>;
    }
    case "quote":
      return <blockquote dir="auto"><Lines lines={block.lines} /></blockquote>;
    case "paragraph":
      return <p dir="auto"><Lines lines={block.lines} /></p>;
  }
}

function Lines({ lines }: { lines: Inline[][] }) {
  return lines.map((line, index) => (
    <Fragment key={index}>
      {index > 0 && "\n"}
      <Inlines inline={line} />
    </Fragment>
  ));
}

function Inlines({ inline }: { inline: Inline[] }) {
  return inline.map((piece, index) => {
    switch (piece.kind) {
      case "code":
        return <code key={index}>{piece.text}</code>;
      case "strong":
        return <strong key={index}>{piece.text}</strong>;
      case "em":
        return <em key={index}>{piece.text}</em>;
      case "text":
        return <Fragment key={index}>{piece.text}</Fragment>;
    }
  });
}

export function Code({ text, copy = true }: { text: string; copy?: boolean }) {
  return (
    <div className="code">
      <Clipped text={text}>{(shown) => <pre tabIndex={0}>{shown}</pre>}</Clipped>
      {copy && <CopyButton text={text} label="Copy" />}
    </div>
  );
}

/** A value as indented, coloured JSON; plain text where it is none. */
export function Json({ value }: { value: unknown }) {
  if (typeof value === "string" && parse(value) === value) return <Code text={value} />;
  const text = pretty(value);
  return (
    <div className="code">
      <Clipped text={text}>
        {(shown) => (
          <pre tabIndex={0} dir="auto">
            {tokens(shown).map((token, index) => <span key={index} className={`j-${token.kind}`}>{token.text}</span>)}
          </pre>
        )}
      </Clipped>
      <CopyButton text={text} label="Copy JSON" />
    </div>
  );
}
