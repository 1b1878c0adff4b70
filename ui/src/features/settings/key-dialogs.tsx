/** Make, rotate and revoke a key. */

import { useState } from "react";
import { useKeyCreate, useKeyRevoke, useKeyRotate } from "@/api/people";
import type { Key, KeyMade } from "@/api/types";
import { Confirm, Dialog, Fault } from "@/components/dialog";
import { Field, Select } from "@/components/form";
import { SCOPES, wantedScopes, type ScopeId } from "@/core/keys";

const EXPIRIES = [
  { id: "30", name: "in 30 days" },
  { id: "90", name: "in 90 days" },
  { id: "365", name: "in a year" },
  { id: "never", name: "never" },
];

export function KeyCreate({ onClose, onMade }: { onClose: () => void; onMade: (made: KeyMade) => void }) {
  const create = useKeyCreate();
  const [name, setName] = useState("");
  const [picked, setPicked] = useState<ReadonlySet<ScopeId>>(new Set(["ingest"]));
  const [expiry, setExpiry] = useState("365");
  const toggle = (scope: ScopeId): void => {
    const next = new Set(picked);
    if (!next.delete(scope)) next.add(scope);
    setPicked(next);
  };
  return (
    <Dialog title="New key" onClose={onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          const days = expiry === "never" ? null : Number(expiry);
          create.mutate({ name: name.trim(), scopes: wantedScopes(picked), days }, { onSuccess: onMade });
        }}
      >
        <Field label="Name" hint="What it is for, such as the app that will hold it." required maxLength={100} autoFocus autoComplete="off" value={name} onValue={setName} />
        <fieldset className="choices">
          <legend>It may</legend>
          {SCOPES.map((scope) => {
            const isImplied = scope.id !== "admin" && picked.has("admin");
            return (
              <label key={scope.id}>
                <input type="checkbox" checked={isImplied || picked.has(scope.id)} disabled={isImplied} onChange={() => toggle(scope.id)} />
                <span><b>{scope.name} <code className="muted">{scope.id}</code></b><span className="muted">{scope.meaning}</span></span>
              </label>
            );
          })}
        </fieldset>
        <Select label="Expires" hint={expiry === "never" ? "It works until somebody revokes it." : "Rotate it before then: the old and the new one work side by side for a while."} value={expiry} options={EXPIRIES} onPick={setExpiry} />
        <Fault error={create.error} />
        <div className="acts">
          <button type="button" className="button" onClick={onClose}>Cancel</button>
          <button type="submit" className="button primary" disabled={create.isPending || picked.size === 0}>Make the key</button>
        </div>
      </form>
    </Dialog>
  );
}

const OVERLAPS = [
  { id: "0", name: "not at all" },
  { id: "1", name: "for an hour" },
  { id: "24", name: "for a day" },
  { id: "168", name: "for a week" },
  { id: "720", name: "for 30 days" },
];

export function KeyRotate({ of: key, onClose, onMade }: { of: Key; onClose: () => void; onMade: (made: KeyMade) => void }) {
  const rotate = useKeyRotate();
  const [hours, setHours] = useState("24");
  return (
    <Dialog title={`Rotate ${key.name || key.public_id}`} onClose={onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          rotate.mutate({ publicId: key.public_id, hours: Number(hours) }, { onSuccess: onMade });
        }}
      >
        <p>You get a new pair that may do the same. Put it where the old one is used while both work.</p>
        <Select
          label="The old one still works" value={hours} options={OVERLAPS} onPick={setHours}
          {...(hours === "0" ? { hint: "Whatever uses it is refused from this moment on. Right for a secret that leaked." } : {})}
        />
        <Fault error={rotate.error} />
        <div className="acts">
          <button type="button" className="button" onClick={onClose}>Cancel</button>
          <button type="submit" className="button primary" disabled={rotate.isPending}>Rotate it</button>
        </div>
      </form>
    </Dialog>
  );
}

export function KeyRevoke({ of: key, onClose }: { of: Key; onClose: () => void }) {
  const revoke = useKeyRevoke();
  return (
    <Confirm title={`Revoke ${key.name || key.public_id}?`} act="Revoke it" isPending={revoke.isPending} error={revoke.error} onClose={onClose} onAct={() => revoke.mutate(key.public_id, { onSuccess: onClose })}>
      <p>Whatever uses <code>{key.public_id}</code> is refused within seconds, and stays so: a revoked key cannot be brought back. To change it without a gap, rotate it.</p>
    </Confirm>
  );
}
