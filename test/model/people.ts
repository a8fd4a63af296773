/** Steps: what people and their clients do besides coming, talking and leaving. */
import { insist } from "./insist.ts";
import { chosen, insistOnRefusal, type Play, publish } from "./play.ts";
import { Sdk } from "./sdk.ts";

const DAY_S = 86_400;
const MINUTE_MS = 60_000;
const BAD_FRAMES = 10;

/** No frames, or none that mean anything. */
const NONSENSE = [
  "",
  "{",
  "[]",
  '{"type":"nothing","payload":{}}',
  '{"type":"ack","payload":{"seq":-1}}',
  "null",
];

export const PEOPLE = {
  /** In one of five threads, four of which are made by their first message: one more than runs may work at once. */
  say_in: (h, a, b) => h.say(h.tab(a), b % 2 === 0, { thread_id: h.place(b) }),
  /** After an earlier message: another branch. */
  branch: (h, a, b) => {
    const parent = chosen([...h.ledger.conversation.messages.values()], b);
    if (parent === undefined) return;
    const { thread_id, message_id } = parent;
    h.say(h.tab(a), b % 3 === 0, { thread_id, parent_message_id: message_id });
  },
  /** A question, and at once something else instead of it: the answer comes to a branch that was left. */
  edit: (h, a, b) => {
    const newest = h.ledger.conversation.newestOf("main");
    h.workshop.open = false;
    h.say(h.tab(a), true);
    if (newest !== null) h.say(h.tab(a), b % 2 === 0, { parent_message_id: newest });
  },
  /** Where nobody can say anything. */
  elsewhere: (h, a, b) => {
    const tab = h.tab(a);
    const payload = chosen([{ thread_id: "nowhere" }, { parent_message_id: "m_1_x" }], b);
    h.send(tab, { type: "user_message", id: h.nextId("e"), payload: { content: "lost", ...payload } });
    insistOnRefusal(h, tab, "not_found");
  },
  /** Questions until no more may wait, in one thread or several. */
  ask_many: (h, a, b) => {
    h.workshop.open = false;
    for (let i = 0; i < 13; i += 1) h.say(h.tab(a), true, b % 2 === 0 ? {} : { thread_id: h.place(i) });
  },
  /** The page is loaded anew: another client, who knows nothing. */
  reload: (h, a) => {
    const tab = h.tab(a);
    if (tab.socket !== undefined) h.world.drop(tab.socket, true);
    tab.reload(h.nextId("client"), tab.sdk === undefined ? undefined : new Sdk());
    h.connect(tab);
    const greeting = tab.socket?.frames[0]?.payload;
    insist(!tab.live || greeting?.resume === "fresh", "who knows nothing is fresh", greeting);
  },
  /** A page comes back with a position from before. */
  rewind: (h, a, b) => {
    const tab = h.tab(a);
    if (tab.epoch === undefined || Number.isNaN(tab.cursor)) return;
    if (tab.socket !== undefined) h.world.drop(tab.socket, true);
    tab.rewind(Math.floor((tab.cursor * b) / 100));
    h.connect(tab);
  },
  /** What is no frame: answered, and the tenth in a minute is the end. */
  nonsense: (h, a, b) => {
    const { socket } = h.tab(a);
    if (!h.tab(a).live || socket === undefined) return;
    const { now } = h.world;
    for (let i = 0; i <= b % 12; i += 1) {
      socket.bad_at = [...socket.bad_at.filter((at) => at > now - MINUTE_MS), now];
      h.world.receive(socket, NONSENSE[(b + i) % NONSENSE.length] ?? "");
      if (socket.bad_at.length >= BAD_FRAMES) break;
    }
    const tooMany = socket.bad_at.length >= BAD_FRAMES;
    h.afterwards.push(() => {
      const code = socket.closed?.code;
      const asItShould = tooMany ? code !== undefined : code !== 4_000;
      insist(asItShould, "ten bad frames in a minute are the end, and not fewer", {
        code,
        bad: socket.bad_at,
      });
    });
  },
  /** Another token on the live connection: for long, for a little while, or no good. */
  renew: (h, a, b) => h.renew(h.tab(a), chosen([86_400, 60, Number.NaN], b) ?? 60),
  sign_out: (h) => h.signOut(),
  /** Others of the same user, who leave without a word: their sockets look open for ever. */
  strangers: (h, _a, b) => {
    for (let i = 0; i <= b % 6; i += 1) {
      const socket = h.upgrade(h.nextId("stranger"), 1, {}, 365 * DAY_S);
      h.world.drop(socket, false);
      h.ghosts.push(socket);
    }
  },
  /** Published under a key, and again under one that was used. */
  publish_keyed: (h) => publish(h, 1, { key: h.nextId("k") }),
  publish_again: (h, _a, b) => {
    const key = chosen(h.keys, b);
    if (key !== undefined) publish(h, 1, { key, known: true });
  },
} satisfies Record<string, Play>;
