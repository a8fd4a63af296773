/** The page's start: finds its parts, signs in, and opens the chat. */
import { Chat } from "./chat.ts";
import { Composer } from "./composer.ts";
import { confirmDeletion, setUpConfirmation } from "./confirm.ts";
import { byId } from "./dom.ts";
import { Drawer } from "./drawer.ts";
import { Notice } from "./notice.ts";
import { type Identity, setUpNameDialog, signIn } from "./sign-in.ts";
import { StatusView } from "./status.ts";
import { titleOf } from "./thread-item.ts";
import { ThreadList } from "./thread-list.ts";
import { Transcript } from "./transcript.ts";
import { fillWelcome } from "./welcome.ts";

/** The page may be open before its server is. */
const RETRY_SIGN_IN_MS = 2_000;

const welcome = byId("welcome", HTMLElement);
const account = byId("account", HTMLButtonElement);
const panel = byId("threads", HTMLElement);
const opener = byId("open-threads", HTMLButtonElement);
let chat: Chat | undefined;
/** Counts the openings: one that was overtaken while somebody signed in opens nothing. */
let opening = 0;

const transcript = new Transcript({
  list: byId("transcript", HTMLElement),
  scroller: byId("scroller", HTMLElement),
  latest: byId("latest", HTMLButtonElement),
  actions: {
    retry: (pending) => chat?.commands.retry(pending),
    edit: (question, content) => chat?.commands.edit(question, content),
    regenerate: (answer_id) => chat?.commands.regenerate(answer_id),
    rate: async (opinion) => (await chat?.commands.rate(opinion)) ?? false,
    answer: (wait_id, verdict) => void chat?.commands.answer(wait_id, verdict),
    reply: (wait_id, value) => void chat?.commands.answer(wait_id, "answered", value),
    argsOf: async (run_id, wait_id) => await chat?.argsOf(run_id, wait_id),
    show: (message_id) => void chat?.showVersion(message_id),
  },
});
const drawer = new Drawer({
  panel,
  backdrop: byId("backdrop", HTMLElement),
  opener,
  closer: byId("close-threads", HTMLButtonElement),
  behind: [byId("bar", HTMLElement), byId("scroller", HTMLElement), byId("dock", HTMLElement)],
});
const threads = new ThreadList({
  list: byId("thread-list", HTMLElement),
  empty: byId("no-threads", HTMLElement),
  more: byId("more-threads", HTMLButtonElement),
  create: byId("new-chat", HTMLButtonElement),
  created: () => goTo(() => chat?.startThread()),
  open: (thread_id) => goTo(() => chat?.openThread(thread_id)),
  asked: () => void chat?.moreThreads(),
  rename: (thread_id, title) => chat?.commands.renameThread(thread_id, title),
  remove: async (thread) => {
    if (await confirmDeletion(titleOf(thread))) chat?.deleteThread(thread.thread_id);
  },
});
const notice = new Notice(byId("notice", HTMLElement));
const composer = new Composer({
  form: byId("composer", HTMLFormElement),
  field: byId("message", HTMLTextAreaElement),
  send: byId("send", HTMLButtonElement),
  stop: byId("stop", HTMLButtonElement),
  submitted: (content) => {
    chat?.ask(content);
    return chat !== undefined;
  },
  stopped: () => chat?.stopRun(),
});
const status = new StatusView(byId("status", HTMLElement), () => void open());

fillWelcome(welcome, (question) => chat?.ask(question));
setUpNameDialog(account, () => void open());
setUpConfirmation();
void open();

/** Also after a change of name, or when a connection has ended for good: everything starts anew. */
async function open(): Promise<void> {
  opening += 1;
  const mine = opening;
  chat?.close();
  chat = undefined;
  transcript.show([]);
  threads.show([], undefined, false);
  notice.clear();
  status.idle("Not signed in");
  const identity = await signedIn();
  if (mine !== opening) return;
  account.hidden = identity.name === undefined;
  account.textContent = identity.name ?? "";
  account.setAttribute("aria-label", `Signed in as ${identity.name}. Change the name`);
  panel.hidden = false;
  opener.hidden = false;
  chat = new Chat({
    origin: location.origin,
    identity,
    transcript,
    threads,
    composer,
    status,
    notice,
    announcer: byId("announcer", HTMLElement),
    emptied: (is_empty) => {
      welcome.hidden = !is_empty;
    },
  });
  composer.focus();
}

function goTo(place: () => void): void {
  drawer.close();
  place();
  composer.focus();
}

async function signedIn(): Promise<Identity> {
  for (;;) {
    try {
      return await signIn(location.origin);
    } catch {
      status.show({ status: "waiting", reason: "discovery_failed", retry_in_ms: RETRY_SIGN_IN_MS });
      await new Promise((resolve) => setTimeout(resolve, RETRY_SIGN_IN_MS));
    }
  }
}
