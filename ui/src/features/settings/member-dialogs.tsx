/** Invite someone, hand out the link, take someone's membership away. */

import { useState } from "react";
import { useInvite, useMemberRemove } from "@/api/people";
import type { InvitationMade, Member, Role } from "@/api/types";
import { Confirm, Dialog, Fault } from "@/components/dialog";
import { Choices, Field, Select } from "@/components/form";
import { Once } from "@/components/once";
import { ROLES } from "@/core/people";
import { exact } from "@/core/time";

export type Made = InvitationMade & { kind: "invitation" | "reset" };

const LIFETIMES = [
  { id: "24", name: "a day" },
  { id: "72", name: "three days" },
  { id: "168", name: "a week" },
];

export function InviteDialog({ isFirst, onClose, onMade }: { isFirst: boolean; onClose: () => void; onMade: (made: Made) => void }) {
  const invite = useInvite();
  const [email, setEmail] = useState("");
  const [role, setRole] = useState<Role>(isFirst ? "admin" : "member");
  const [hours, setHours] = useState("72");
  return (
    <Dialog title="Invite someone" onClose={onClose}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          invite.mutate({ email: email.trim(), role, hours: Number(hours) }, { onSuccess: (made) => onMade({ ...made, kind: "invitation" }) });
        }}
      >
        <Field label="Email" hint="No mail is sent: you get a link to pass on yourself." type="email" required autoFocus autoComplete="off" spellCheck={false} value={email} onValue={setEmail} />
        <Choices label="Role" options={ROLES} value={role} onPick={setRole} />
        {isFirst && <p className="muted">The first account should be an admin's: once it is there, only admins can invite.</p>}
        <Select label="The link works for" value={hours} options={LIFETIMES} onPick={setHours} />
        <Fault error={invite.error} />
        <div className="acts">
          <button type="button" className="button" onClick={onClose}>Cancel</button>
          <button type="submit" className="button primary" disabled={invite.isPending}>Make the link</button>
        </div>
      </form>
    </Dialog>
  );
}

export function LinkDialog({ made, onClose }: { made: Made; onClose: () => void }) {
  const { email, expires_at: end } = made.invitation;
  return (
    <Dialog title={made.kind === "reset" ? `A reset link for ${email}` : `An invitation for ${email}`} onClose={onClose} isHeld isWide>
      <div className="stack">
        <p>Pass this link on where only {email} reads it. It works once, until {exact(end).slice(0, 16)}, and is not shown again.</p>
        <Once label="Link" text={made.url} />
        <div className="acts">
          <button type="button" className="button primary" onClick={onClose}>Done</button>
        </div>
      </div>
    </Dialog>
  );
}

export function RemoveDialog({ member, isSelf, onClose }: { member: Member; isSelf: boolean; onClose: () => void }) {
  const remove = useMemberRemove();
  return (
    <Confirm title={isSelf ? "Leave the project?" : `Remove ${member.name || member.email}?`} act={isSelf ? "Leave it" : "Remove them"} isPending={remove.isPending} error={remove.error} onClose={onClose} onAct={() => remove.mutate(member.user_id, { onSuccess: onClose })}>
      <p>{isSelf ? "You see nothing of this project from then on, until an admin invites you again." : `${member.email} sees nothing of this project from then on. Keys they made go on working: look at those too.`}</p>
    </Confirm>
  );
}
