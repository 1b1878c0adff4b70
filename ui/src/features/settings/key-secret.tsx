/** A new secret: seen once, with what to paste where it will be used. */

import { useState } from "react";
import { useStatus } from "@/api/queries";
import type { KeyMade } from "@/api/types";
import { Tabs } from "@/components/basics";
import { Dialog } from "@/components/dialog";
import { Once } from "@/components/once";
import { Code } from "@/components/text";
import { keyUses } from "@/core/keys";

export function KeySecret({ made, isRotated, onClose }: { made: KeyMade; isRotated: boolean; onClose: () => void }) {
  const endpoint = useStatus().data?.endpoint ?? window.location.origin;
  const uses = keyUses(made.secret, made.key.scopes, endpoint);
  const [picked, setPicked] = useState(uses[0]?.id ?? "");
  const use = uses.find((each) => each.id === picked);
  return (
    <Dialog title={isRotated ? `${made.key.name || made.key.public_id}: the new pair` : `${made.key.name || made.key.public_id}: the key is made`} onClose={onClose} isHeld isWide>
      <div className="stack">
        <p>This is the only time the secret is shown. The server keeps a hash of it, and cannot show it again.</p>
        <Once label="Secret key" text={made.secret} />
        <div className="labelled"><span className="label">Public id</span><code>{made.key.public_id}</code></div>
        {use !== undefined && (
          <div>
            <Tabs label="Where it is used" value={picked} options={uses} onPick={setPicked} />
            <div className="under-tabs"><Code text={use.text} /></div>
          </div>
        )}
        <div className="acts">
          <button type="button" className="button primary" onClick={onClose}>I have stored it</button>
        </div>
      </div>
    </Dialog>
  );
}
