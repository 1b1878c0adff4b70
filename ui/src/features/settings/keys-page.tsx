/** `/settings/keys`: who may send and read without a person signing in. */

import { useState } from "react";
import { useKeyList } from "@/api/people";
import { useWho } from "@/api/session";
import type { Key, KeyMade } from "@/api/types";
import { Ago, CopyButton, Skeleton, useNow } from "@/components/basics";
import { Failure } from "@/components/failure";
import { Icon } from "@/components/icons";
import { ListTable, type ListColumn } from "@/components/list-table";
import { isLive, keyState, SCOPES } from "@/core/keys";
import { ahead, exact } from "@/core/time";
import { KeyCreate, KeyRevoke, KeyRotate } from "./key-dialogs";
import { KeySecret } from "./key-secret";

type Open = { what: "create" } | { what: "rotate" | "revoke"; key: Key } | { what: "secret"; made: KeyMade; old?: Key } | null;

export function KeysPage() {
  const who = useWho();
  const list = useKeyList();
  const now = useNow();
  const [open, setOpen] = useState<Open>(null);
  const [showsEnded, setShowsEnded] = useState(false);
  const close = (): void => setOpen(null);
  const all = list.data ?? [];
  const rows = showsEnded ? all : all.filter((key) => isLive(key, now));
  const ended = all.filter((key) => !isLive(key, now)).length;
  const columns: ListColumn<Key>[] = [
    { id: "name", title: "Name", cell: (key) => <b className="clip" dir="auto">{key.name || "unnamed"}</b> },
    { id: "id", title: "Public id", cell: (key) => <span className="row tight"><code className="clip">{key.public_id}</code><CopyButton text={key.public_id} label={`Copy the public id of ${key.name || key.public_id}`} /></span> },
    { id: "scopes", title: "May", cell: (key) => <Scopes scopes={key.scopes} /> },
    { id: "made", title: "Created", cell: (key) => <span className="who"><Ago time={key.created_at} now={now} />{key.created_by !== null && <span className="muted clip" title={key.created_by}>by {key.created_by}</span>}</span> },
    { id: "used", title: "Last used", cell: (key) => key.last_used_at === null ? <span className="muted">never</span> : <Ago time={key.last_used_at} now={now} /> },
    { id: "state", title: "State", cell: (key) => <State of={key} now={now} /> },
    {
      id: "acts", title: "Rotate or revoke", isActs: true,
      cell: (key) => isLive(key, now) && (
        <>
          {key.replaced_by === null && (
            <button type="button" className="button small" aria-label={`Rotate ${key.name || key.public_id}`} onClick={() => setOpen({ what: "rotate", key })}>Rotate</button>
          )}
          <button type="button" className="button small" aria-label={`Revoke ${key.name || key.public_id}`} onClick={() => setOpen({ what: "revoke", key })}>Revoke</button>
        </>
      ),
    },
  ];
  return (
    <>
      <title>Keys · Watchkeeper</title>
      <header className="people-head">
        <div className="grow">
          <h1>Keys of {who.project ?? "the project"}</h1>
          <p className="muted">Each app, script or scraper gets its own, so that one can be taken back without the others noticing.</p>
        </div>
        <button type="button" className="button primary" onClick={() => setOpen({ what: "create" })}><Icon name="plus" />New key</button>
      </header>
      <section className="card">
        {list.isError ? <Failure error={list.error} onRetry={() => void list.refetch()} /> : list.data === undefined ? <div className="body"><Skeleton height={90} /></div> : (
          <>
            {rows.length === 0 ? <None all={all.length} /> : <ListTable label="Keys" rows={rows} columns={columns} idOf={(key) => key.public_id} isDim={(key) => !isLive(key, now)} />}
            {ended > 0 && (
              <label className="body check">
                <input type="checkbox" checked={showsEnded} onChange={(event) => setShowsEnded(event.target.checked)} />
                Show revoked and expired keys <span className="muted">({ended})</span>
              </label>
            )}
          </>
        )}
      </section>
      {open?.what === "create" && <KeyCreate onClose={close} onMade={(made) => setOpen({ what: "secret", made })} />}
      {open?.what === "rotate" && <KeyRotate of={open.key} onClose={close} onMade={(made) => setOpen({ what: "secret", made, old: open.key })} />}
      {open?.what === "revoke" && <KeyRevoke of={open.key} onClose={close} />}
      {open?.what === "secret" && <KeySecret made={open.made} isRotated={open.old !== undefined} onClose={close} />}
    </>
  );
}

function None({ all }: { all: number }) {
  return (
    <div className="body none">
      <p><b>{all === 0 ? "There are no keys yet." : "No key works at the moment."}</b></p>
      <p className="muted">Apps on other machines need one to send. Make one, and paste the settings that come with it.</p>
    </div>
  );
}

function Scopes({ scopes }: { scopes: readonly string[] }) {
  return (
    <span className="row wrap tight">
      {scopes.map((id) => {
        const known = SCOPES.find((scope) => scope.id === id);
        return <span key={id} className={`tag ${id === "admin" ? "accent" : ""}`} title={known?.meaning}>{id}</span>;
      })}
    </span>
  );
}

function State({ of: key, now }: { of: Key; now: number }) {
  const state = keyState(key, now);
  const until = key.expires_at ?? "";
  switch (state) {
    case "revoked":
      return <span className="tag bad" title={key.revoked_at === null ? "" : exact(key.revoked_at)}>revoked</span>;
    case "expired":
      return <span className="tag" title={exact(until)}>{key.replaced_by === null ? "expired" : "rotated out"}</span>;
    case "retiring":
      return <span className="tag accent" title={`${exact(until)}; its successor is ${key.replaced_by ?? ""}`}>rotated, ends {ahead(until, now)}</span>;
    case "expiring":
      return <span className="tag accent" title={exact(until)}>expires {ahead(until, now)}</span>;
    case "active":
      return <span className="tag good" title={key.expires_at === null ? "It does not expire" : `Expires ${exact(until)}`}>active</span>;
  }
}
