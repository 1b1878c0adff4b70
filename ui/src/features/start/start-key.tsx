/** The key that the snippets want: made here, seen while the page is open. */

import { useKeyCreate } from "@/api/people";
import { useWho } from "@/api/session";
import { Fault } from "@/components/dialog";
import type { Pair } from "@/core/snippet";

export function StartKey({ stack, pair, needsKey, onMade }: {
  stack: string;
  pair: Pair | null;
  needsKey: boolean;
  onMade: (pair: Pair) => void;
}) {
  const who = useWho();
  const create = useKeyCreate();
  if (pair !== null) {
    return (
      <p className="start-key" role="status">
        <span>The key <code>{pair.publicId}</code> is in what you paste. It may send, and reads nothing back. Its secret is shown <b>only until you leave this page</b>.</span>
      </p>
    );
  }
  const mayMake = who.is_owner || who.scopes.includes("admin");
  return (
    <div className="start-key">
      <span className="grow">{needsKey ? wanted(stack, mayMake) : "On this machine no key is needed; apps on others need one."}</span>
      {mayMake && (
        <button
          type="button" className={`button ${needsKey ? "primary" : ""}`} disabled={create.isPending}
          onClick={() => create.mutate(
            { name: "start page", scopes: ["ingest"], days: 365 },
            { onSuccess: (made) => onMade({ publicId: made.key.public_id, secret: made.secret }) },
          )}
        >
          Make a key
        </button>
      )}
      <Fault error={create.error} />
    </div>
  );
}

function wanted(stack: string, mayMake: boolean): string {
  return mayMake ? `${stack} needs a key to send. It is put into what you paste.` : `${stack} needs a key to send. Ask an admin of the project for one.`;
}
