/** The page's start: finds its parts, signs in, and opens the chat. */
import { Chat } from "./chat.ts";
import { Composer } from "./composer.ts";
import { byId } from "./dom.ts";
import { type Identity, setUpNameDialog, signIn } from "./sign-in.ts";
import { StatusView } from "./status.ts";
import { Transcript } from "./transcript.ts";
import { fillWelcome } from "./welcome.ts";

/** The page may be open before its server is. */
const RETRY_SIGN_IN_MS = 2_000;

const welcome = byId("welcome", HTMLElement);
const account = byId("account", HTMLButtonElement);
const newChat = byId("new-chat", HTMLButtonElement);
let chat: Chat | undefined;
/** Counts the openings: one that was overtaken while somebody signed in opens nothing. */
let opening = 0;

const transcript = new Transcript({
  list: byId("transcript", HTMLElement),
  scroller: byId("scroller", HTMLElement),
  latest: byId("latest", HTMLButtonElement),
  retry: (pending) => chat?.retry(pending),
});
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
newChat.addEventListener("click", () => {
  chat?.startThread();
  composer.focus();
});
void open();

/** Also after a change of name, or when a connection has ended for good: everything starts anew. */
async function open(): Promise<void> {
  opening += 1;
  const mine = opening;
  chat?.close();
  chat = undefined;
  transcript.show([]);
  status.idle("Not signed in");
  const identity = await signedIn();
  if (mine !== opening) return;
  account.hidden = identity.name === undefined;
  account.textContent = identity.name ?? "";
  account.setAttribute("aria-label", `Signed in as ${identity.name}. Change the name`);
  chat = new Chat({
    origin: location.origin,
    identity,
    transcript,
    composer,
    status,
    announcer: byId("announcer", HTMLElement),
    emptied: (is_empty) => {
      welcome.hidden = !is_empty;
      newChat.hidden = is_empty;
    },
  });
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
