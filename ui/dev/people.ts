/** A pretend gate for the mock server: keys, members, invitations and one session, kept in memory. */

import type { Invitation, Key, Member, Session } from "../src/api/types.ts";

export interface Answer {
  status: number;
  body: unknown;
}

const now = (ms = 0): string => new Date(Date.now() + ms).toISOString().replace("Z", "000000Z");
const DAY = 86_400_000;
const random = (length: number): string => Array.from({ length }, () => Math.floor(Math.random() * 36).toString(36)).join("");
const ok = (body: unknown, status = 200): Answer => ({ status, body });
const done: Answer = { status: 204, body: null };
const refused = (status: number, code: string, message: string): Answer => ({ status, body: { error: { code, message, hint: null } } });

function key(name: string, scopes: string[], fields: Partial<Key> = {}): Key {
  return {
    public_id: `pk-${random(12)}`, project: "default", name, scopes, created_at: now(-9 * DAY), created_by: "local",
    last_used_at: now(-40_000), expires_at: now(300 * DAY), revoked_at: null, replaced_by: null, ...fields,
  };
}

/** `MOCK_ROLE` is `owner` (on the server's own machine), `none` (nobody signed in), `viewer`, `member` or `admin`. */
export class Gate {
  private role = process.env["MOCK_ROLE"] ?? "owner";
  private readonly keys: Key[] = [
    key("support-bot", ["ingest"]),
    key("grafana", ["read"], { last_used_at: null, expires_at: now(6 * DAY) }),
    key("mail-triage", ["ingest"], { expires_at: now(DAY), replaced_by: "pk-next" }),
    key("terraform", ["ingest", "read", "admin"], { revoked_at: now(-DAY) }),
  ];
  private members: Member[] = [
    { user_id: "u1", email: "ada@example.com", name: "Ada Lovelace", role: "admin", since: now(-30 * DAY), disabled: false },
    { user_id: "u2", email: "grace@example.com", name: "Grace Hopper", role: "member", since: now(-3 * DAY), disabled: false },
  ];
  private invitations: Invitation[] = [];

  answer(method: string, path: string, sent: Record<string, unknown>): Answer | undefined {
    const [what, id, act] = path.split("/");
    switch (what) {
      case "session":
        return this.session(method, id, sent);
      case "sessions":
        return method === "DELETE" ? done : ok({ items: [
          { id: "s1", agent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", created_at: now(-DAY), last_seen_at: now(), current: true },
          { id: "s2", agent: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile/15E148 Safari/604.1", created_at: now(-3 * DAY), last_seen_at: now(-DAY), current: false },
        ] });
      case "links":
        return id === "open" ? ok({ kind: "invitation", project: "default", email: "new@example.com", role: "member", has_account: false }) : this.enter();
      case "projects":
        return ok({ items: ["default", "search"] });
      case "keys":
        return this.key(method, id, act, sent);
      case "members":
        return this.member(method, id, act, sent);
      case "invitations":
        return this.invitation(method, id, sent);
      default:
        return undefined;
    }
  }

  private session(method: string, part: string | undefined, sent: Record<string, unknown>): Answer {
    if (part === "password") return done;
    if (method === "POST") return sent["password"] === "wrong" ? refused(401, "unauthenticated", "the email or the password is wrong") : this.enter();
    if (method === "DELETE") this.role = "none";
    return method === "DELETE" ? done : ok(this.whoAmI());
  }

  private enter(): Answer {
    this.role = "admin";
    return ok(this.whoAmI());
  }

  private whoAmI(): Session {
    const isOwner = this.role === "owner";
    const isHere = this.role !== "none";
    const role = this.role as Session["role"];
    const user = { id: "u1", email: "ada@example.com", name: "Ada Lovelace" };
    return {
      kind: isOwner ? "local" : isHere ? "session" : "none", name: isOwner ? "local" : user.email, project: isHere ? "default" : null,
      role: isHere ? role : null, scopes: isOwner || role === "admin" ? ["ingest", "read", "admin"] : isHere ? ["read"] : [],
      is_owner: isOwner, user: isOwner || !isHere ? null : user, projects: isOwner || !isHere ? [] : [{ id: "default", role: this.role }],
      has_users: !isOwner, can_read: isHere,
    };
  }

  private key(method: string, id: string | undefined, act: string | undefined, sent: Record<string, unknown>): Answer {
    if (method === "GET") return ok({ items: this.keys });
    const old = this.keys.find((each) => each.public_id === id);
    if (method === "DELETE" && old !== undefined) {
      old.revoked_at = now();
      return done;
    }
    const made = key(old?.name ?? String(sent["name"]), old?.scopes ?? (sent["scopes"] as string[]), { created_at: now(), last_used_at: null });
    if (old !== undefined && act === "rotate") {
      old.replaced_by = made.public_id;
      old.expires_at = now(Number(sent["overlap_hours"]) * 3_600_000);
    }
    this.keys.unshift(made);
    return ok({ key: made, secret: `sk-${random(43)}` }, 201);
  }

  private member(method: string, id: string | undefined, act: string | undefined, sent: Record<string, unknown>): Answer {
    const found = this.members.find((each) => each.user_id === id);
    if (method === "GET") return ok({ items: this.role === "owner" ? [] : this.members });
    if (found === undefined) return refused(404, "not_found", "there is no such member");
    if (act === "reset") return this.made(found.email, "");
    if (found.role === "admin") return refused(400, "bad_request", "the project would have no admin left");
    if (method === "PUT") found.role = sent["role"] as Member["role"];
    else this.members = this.members.filter((each) => each !== found);
    return done;
  }

  private invitation(method: string, id: string | undefined, sent: Record<string, unknown>): Answer {
    if (method === "GET") return ok({ items: this.invitations });
    if (method === "POST") return this.made(String(sent["email"]), sent["role"] as Invitation["role"]);
    this.invitations = this.invitations.filter((each) => each.id !== id);
    return done;
  }

  private made(email: string, role: Invitation["role"]): Answer {
    const invitation: Invitation = {
      id: random(8), email, role, kind: role === "" ? "reset" : "invitation", created_by: "ada@example.com", created_at: now(), expires_at: now(3 * DAY),
    };
    this.invitations.push(invitation);
    return ok({ invitation, url: `http://127.0.0.1:7070/invite#${random(43)}` }, 201);
  }
}
