/** The page in a real browser, against the real Worker, over a network that can be cut. */
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import chromium from "@sparticuz/chromium";
import { type Browser, type Locator, chromium as launcher, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type DevServer, startDevServer } from "../../scripts/dev-server.ts";
import { type FlakyNetwork, flakyNetwork } from "../../scripts/flaky-network.ts";
import { signIn } from "../../scripts/sign-in.ts";
import {
  type Client,
  type Conversation,
  connect,
  DEFAULT_THREAD_ID,
  inProgress,
  type Run,
  uuidv7,
} from "../../src/client/index.ts";
import { markdownHtml } from "../../src/web/markdown-html.ts";

const QUESTION = "I'm spending $50k/month on AI infrastructure. Help me optimize costs.";
const SCREENSHOTS = ".artifacts/screenshots";
const DESKTOP = { width: 1200, height: 800 };
const MOBILE = { width: 390, height: 844 };

/** The packaged browser is made for a sandbox of its own; here the page is to meet ordinary rules. */
const UNWANTED_ARGS = ["--single-process", "--disable-web-security", "--allow-running-insecure-content"];

let server: DevServer;
let network: FlakyNetwork;
let browser: Browser;

beforeAll(async () => {
  [server, browser] = await Promise.all([
    startDevServer({ config: "test/e2e/support/wrangler.toml" }),
    launch(),
    mkdir(SCREENSHOTS, { recursive: true }),
  ]);
  network = await flakyNetwork(server.url);
}, 60_000);

afterAll(async () => {
  await browser?.close();
  await network?.close();
  await server?.stop();
});

describe("the page", () => {
  test("[W1] answers a question over a network that breaks in mid-run, with nothing missing or doubled", async () => {
    const { page, faults, foreign } = await visit(DESKTOP, "light");
    const witness = await watch(page);
    await shot(page, "1-welcome");
    await page.getByLabel("Your message").fill(QUESTION);
    await page.keyboard.press("Enter");
    await page.locator(".step.tool").first().waitFor();
    network.cut();
    expect(witness.conversation.runs.map(inProgress)).toEqual([true]);
    await page.getByText("Reconnecting").waitFor();
    await shot(page, "2-reconnecting");
    network.restore();
    await page.getByText("Online").waitFor();

    const run = await ended(witness);
    await expectSame(page, witness.conversation, run);
    await shot(page, "3-answer");
    expect(faults).toEqual([]);
    expect(foreign).toEqual([]);
    witness.close();
  }, 30_000);

  test("[W2] shows the same messages and reports after a reload and in a second window", async () => {
    const { page, context } = await visit(MOBILE, "dark");
    const witness = await watch(page);
    await page.getByRole("button", { name: /50k/ }).click();
    const run = await ended(witness);
    await expectSame(page, witness.conversation, run);
    await page.reload();
    await expectAnswer(page, witness.conversation);
    const second = await context.newPage();
    await second.goto(network.url);
    await expectAnswer(second, witness.conversation);
    await shot(second, "4-mobile-dark");
    witness.close();
  }, 30_000);

  test("[W3] stops a run on request and keeps what was written", async () => {
    const { page } = await visit(MOBILE, "light");
    await page.getByRole("button", { name: /50k/ }).click();
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByText("Stopped.").waitFor();
    await page.getByRole("button", { name: "Stop" }).waitFor({ state: "hidden" });
    await shot(page, "5-stopped");
  }, 20_000);

  test("[W4] sends what was written offline once the network is back, and keeps the draft over a reload", async () => {
    const { page } = await visit(DESKTOP, "dark");
    network.cut();
    await page.getByText("Reconnecting").waitFor();
    await page.getByLabel("Your message").fill("written offline");
    await page.keyboard.press("Enter");
    await page.getByText("Sending…").waitFor();
    await shot(page, "6-offline");
    network.restore();
    await page.getByText("Sending…").waitFor({ state: "detached" });
    expect(await page.locator(".bubble").allTextContents()).toEqual(["written offline"]);
    await page.getByLabel("Your message").pressSequentially("a draft");
    await page.keyboard.press("Shift+Enter");
    await page.reload();
    expect(await page.getByLabel("Your message").inputValue()).toBe("a draft\n");
  }, 20_000);

  test("[W8] still shows its thread after a gap whose snapshot has another one", async () => {
    const { page, faults } = await visit(DESKTOP, "light");
    const witness = await watch(page);
    await page.getByLabel("Your message").fill("before the gap");
    await page.keyboard.press("Enter");
    await ended(witness);
    const answered = await page.locator(".prose").allTextContents();
    network.cut();
    await page.getByText("Reconnecting").waitFor();
    await witness.send("while away", { thread_id: DEFAULT_THREAD_ID, respond: false });
    await witness.send("elsewhere", { thread_id: uuidv7(), respond: false });
    await invalidate(witness);
    network.restore();
    await page.getByText("while away").waitFor();
    expect(await page.locator(".bubble").allTextContents()).toEqual(["before the gap", "while away"]);
    expect(await page.locator(".prose").allTextContents()).toEqual(answered);
    expect(faults).toEqual([]);
    witness.close();
  }, 20_000);

  test("[W10] makes, names and deletes chats, the same in every tab", async () => {
    const { page, context, faults } = await visit(DESKTOP, "light");
    const chats = page.getByRole("navigation", { name: "Chats" });
    const titles = () => chats.locator(".thread-title").allTextContents();
    await ask(page, "first chat");
    await chats.getByRole("button", { name: "New chat", exact: true }).click();
    await page.getByRole("heading", { name: "Where does your AI budget go?" }).waitFor();
    await ask(page, "second chat");
    await expect.poll(titles).toEqual(["second chat", "first chat"]);
    await chats.getByRole("button", { name: "first chat", exact: true }).click();
    await expect.poll(() => bubbles(page)).toEqual(["first chat"]);
    expect(await chats.locator("[aria-current]").allTextContents()).toEqual(["first chat"]);

    await chats.getByRole("button", { name: "Rename first chat" }).press("Enter");
    await chats.getByLabel("Name of the chat").fill("Costs of May");
    await shot(page, "8-renaming");
    await page.keyboard.press("Enter");
    await expect.poll(titles).toEqual(["second chat", "Costs of May"]);
    await page.reload();
    await expect.poll(titles).toEqual(["second chat", "Costs of May"]);
    await expect.poll(() => bubbles(page)).toEqual(["first chat"]);

    const other = await context.newPage();
    await other.goto(network.url);
    await other.getByRole("button", { name: "Delete Costs of May" }).click();
    const dialog = other.getByRole("dialog", { name: "Delete this chat?" });
    await shot(other, "9-delete");
    await dialog.getByRole("button", { name: "Cancel" }).click();
    expect(await titles()).toHaveLength(2);
    await other.getByRole("button", { name: "Delete Costs of May" }).click();
    await dialog.getByRole("button", { name: "Delete", exact: true }).click();
    await page.getByText("The chat you were reading was deleted elsewhere.").waitFor();
    expect(await titles()).toEqual(["second chat"]);
    await expect.poll(() => bubbles(page)).toEqual(["second chat"]);
    await shot(page, "10-deleted-elsewhere");
    expect(faults).toEqual([]);
  }, 30_000);

  test("[W10] has its chats in a drawer where there is no room, and gives the focus back", async () => {
    const { page } = await visit(MOBILE, "dark");
    await ask(page, "in my pocket");
    const opener = page.getByRole("button", { name: "Chats", exact: true });
    await opener.click();
    await page.getByRole("button", { name: "in my pocket", exact: true }).waitFor();
    expect(await opener.getAttribute("aria-expanded")).toBe("true");
    await shot(page, "11-drawer-dark");
    await page.keyboard.press("Escape");
    await expect.poll(() => page.locator("#open-threads:focus").count()).toBe(1);
    await opener.click();
    await page.getByRole("button", { name: "New chat", exact: true }).click();
    await page.getByRole("heading", { name: "Where does your AI budget go?" }).waitFor();
    expect(await opener.getAttribute("aria-expanded")).toBe("false");
  }, 20_000);

  test("[W9] edits a question and asks again for an answer, and every version can be shown again", async () => {
    const { page, faults } = await visit(DESKTOP, "light");
    const witness = await watch(page);
    const steps = () => page.locator(".tool-name").count();
    await ask(page, QUESTION);
    await ended(witness);
    await page.getByRole("button", { name: "Edit" }).click();
    await page.getByLabel("Edit your message").fill("We spend $90k a month on GPUs. Save half.");
    await shot(page, "12-editing");
    const answered = ended(witness);
    await page.keyboard.press("Enter");
    await answered;
    await expect.poll(() => bubbles(page)).toEqual(["We spend $90k a month on GPUs. Save half."]);
    await expect.poll(() => versions(page)).toEqual(["2 / 2"]);

    const again = ended(witness);
    await page.getByRole("button", { name: "Regenerate" }).click();
    await again;
    await expect.poll(() => versions(page)).toEqual(["2 / 2", "2 / 2"]);
    await page.locator(".answer").getByRole("button", { name: "Previous version" }).click();
    await expect.poll(() => versions(page)).toEqual(["2 / 2", "1 / 2"]);
    await page.locator(".answer .turn-actions").scrollIntoViewIfNeeded();
    await shot(page, "13-versions");

    await page.reload();
    await expect.poll(() => versions(page)).toEqual(["2 / 2", "1 / 2"]);
    await expect.poll(steps).toBeGreaterThan(0);
    await page.locator(".question").getByRole("button", { name: "Previous version" }).click();
    await expect.poll(() => bubbles(page)).toEqual([QUESTION]);
    await expect.poll(() => versions(page)).toEqual(["1 / 2"]);
    await page.locator(".answer .prose").waitFor();
    await expect.poll(steps).toBeGreaterThan(0);
    await page.locator(".question").getByRole("button", { name: "Next version" }).click();
    await expect.poll(() => bubbles(page)).toEqual(["We spend $90k a month on GPUs. Save half."]);
    await expect.poll(() => versions(page)).toEqual(["2 / 2", "2 / 2"]);
    expect(faults).toEqual([]);
    witness.close();
  }, 60_000);

  test("[W11] rates an answer, says why, and shows the last word in every tab and after a reload", async () => {
    const { page, context, faults } = await visit(DESKTOP, "light");
    const witness = await watch(page);
    const pressed = (of: Page) => labels(of.locator(".rate[aria-pressed=true]"));
    await ask(page, "Save half of $50k a month.");
    await page.getByRole("button", { name: "Good answer" }).press("Enter");
    await expect.poll(() => pressed(page)).toEqual(["Good answer"]);

    const other = await context.newPage();
    await other.goto(network.url);
    await expect.poll(() => pressed(other)).toEqual(["Good answer"]);
    await other.getByRole("button", { name: "Bad answer" }).click();
    await expect.poll(() => pressed(page)).toEqual(["Bad answer"]);
    const comment = other.getByLabel("What was wrong with it?");
    await comment.press("Escape");
    expect(await comment.count()).toBe(0);
    expect(await labels(other.locator(":focus"))).toEqual(["Bad answer"]);

    await other.getByRole("button", { name: "Bad answer" }).press("Space");
    await comment.fill("x".repeat(4097));
    await comment.press("Enter");
    await other.getByText("please shorten it by 1 characters").waitFor();
    await comment.fill("Which GPUs?");
    await shot(other, "14-comment");
    const said = commented(witness);
    await comment.press("Enter");
    expect(await said).toBe("Which GPUs?");
    expect(await comment.count()).toBe(0);
    await page.reload();
    await expect.poll(() => pressed(page)).toEqual(["Bad answer"]);
    expect(faults).toEqual([]);
    witness.close();
  }, 45_000);

  test("[W13] [W14] [W16] asks for approval in every tab, and shows what came of it", async () => {
    const { page, context, faults } = await visit(DESKTOP, "light");
    const witness = await watch(page);
    const other = await context.newPage();
    await other.goto(network.url);
    const records = (of: Page) => of.locator(".record").allTextContents();

    await ask(page, "clerk: refund");
    for (const tab of [page, other]) await approval(tab).getByText('"Zoë <b>Ltd</b>"').waitFor();
    await approval(page).getByText("\\u{202e}").waitFor();
    expect(await page.locator("#message:focus").count()).toBe(1);
    expect(await page.locator(".answer").getAttribute("aria-busy")).toBe("false");
    await shot(page, "15-approval");
    const approved = ended(witness);
    await approval(page).getByRole("button", { name: "Approve" }).press("Enter");
    await other.getByText("Asking the bank").waitFor();
    await shot(other, "16-progress");
    for (const tab of [page, other]) await expect.poll(() => records(tab)).toEqual(["Approved: send_refund"]);
    expect(await labels(page.locator(":focus"))).toEqual(["Approval of send_refund"]);
    await approved;
    for (const tab of [page, other]) await tab.getByText("Done, receipt R-7.").waitFor();
    expect(await page.getByText("Asking the bank").count()).toBe(0);

    await ask(page, "clerk: refund");
    await approval(page).waitFor();
    await page.reload();
    await approval(page).waitFor();
    await approval(other).getByRole("button", { name: "Deny" }).click();
    for (const tab of [page, other]) await tab.getByText("Then I leave it as it is.").waitFor();
    await expect.poll(() => records(page)).toEqual(["Denied: send_refund"]);
    await page.locator(".steps > summary").last().click();
    expect(await page.locator(".answer").last().locator(".badge").allTextContents()).toEqual(["denied"]);
    await shot(page, "17-denied");

    await ask(page, "clerk: refund");
    await approval(page).waitFor();
    network.cut();
    await page.getByText("Reconnecting").waitFor();
    await approval(page).getByRole("button", { name: "Approve" }).press("Enter");
    await approval(page).getByText("Sending your answer…").waitFor();
    await shot(page, "18-answered-offline");
    const denied = ended(witness);
    const wait_id = witness.conversation.runs.at(-1)?.waits?.[0]?.wait_id ?? "";
    await witness.command({ type: "run_resume", payload: { wait_id, decision: "denied" } });
    await denied;
    network.restore();
    await expect
      .poll(() => records(page))
      .toEqual(["Denied: send_refund", "Denied by another answer: send_refund"]);

    await ask(page, "clerk: refund");
    await approval(page).waitFor();
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByText("Stopped.").waitFor();
    await page.getByRole("button", { name: "Stop" }).waitFor({ state: "hidden" });
    await expect.poll(async () => (await records(page)).at(-1)).toBe("Not answered: send_refund");
    expect(await page.locator(".prose").last().textContent()).toContain(
      "I can send the second payment back.",
    );
    await shot(page, "19-stopped-waiting");
    expect(faults).toEqual([]);
    witness.close();
  }, 60_000);

  test("[W17] answers what an agent asks, in any tab and after a reload", async () => {
    const { page, context, faults } = await visit(DESKTOP, "light");
    const other = await context.newPage();
    await other.goto(network.url);
    await ask(page, "clerk: ask");
    const question = (of: Page) => of.locator("form.approval");
    for (const tab of [page, other]) await question(tab).getByText("Which project is it for?").waitFor();
    await page.reload();
    await question(page).getByRole("button", { name: "Answer" }).click();
    await question(page).getByText("Write an answer first.").waitFor();
    await question(page).getByLabel("Your answer").fill("Blue <b>whale</b>");
    await shot(page, "22-question");
    await question(page).getByRole("button", { name: "Answer" }).press("Enter");
    for (const tab of [page, other]) {
      await tab.getByText("Booked for Blue <b>whale</b>.").waitFor();
      await expect
        .poll(() => tab.locator(".record").allTextContents())
        .toEqual(["Answered: Which project is it for?"]);
    }
    expect(faults).toEqual([]);
  }, 45_000);

  test("[W15] [W16] says what else is waited for, folds long thoughts, and says why a run failed", async () => {
    const { page, faults } = await visit(MOBILE, "dark");
    const witness = await watch(page);
    await page.getByLabel("Your message").fill("clerk: wait");
    await page.keyboard.press("Enter");
    await page.getByText("Waiting for invoice paid: number 17 (until").waitFor();
    await page.getByText("So far: 1 step, 0 tool calls").waitFor();
    const folded = page.locator(".thought");
    expect(await folded.isVisible()).toBe(false);
    await page.getByText("The invoice has not been paid").first().click();
    expect(await folded.isVisible()).toBe(true);
    await shot(page, "20-waiting-dark");
    const wait_id = witness.conversation.runs.at(-1)?.waits?.[0]?.wait_id ?? "";
    await witness.command({ type: "run_resume", payload: { wait_id, value: { paid: true } } });
    await page.getByText("It was answered.").waitFor();
    expect(await page.getByText("Waiting for invoice").count()).toBe(0);

    await ask(page, "clerk: refund");
    await approval(page).waitFor();
    await shot(page, "21-approval-dark");
    await approval(page).getByRole("button", { name: "Deny" }).click();
    await page.getByText("Then I leave it as it is.").waitFor();
    await ask(page, "clerk: audit");
    await page.getByText("The run failed: ").waitFor();
    await page.reload();
    await page.getByText("The run failed: ").waitFor();
    expect(await page.locator(".prose").last().textContent()).toContain("So far so good.");
    await shot(page, "22-failed-dark");
    expect(faults).toEqual([]);
    witness.close();
  }, 30_000);

  test("[W5] asks for a token where there is no development sign-in, and keeps it in memory only", async () => {
    const page = await browser.newPage({ viewport: DESKTOP, colorScheme: "light" });
    await page.route("**/v1/config", async (route) => {
      const response = await route.fetch();
      const { auth, ...rest } = await response.json();
      await route.fulfill({ response, json: { ...rest, auth: { ...auth, dev_token_url: undefined } } });
    });
    await page.goto(network.url);
    await page.getByLabel("Access token").fill("not.a.token");
    await page.keyboard.press("Enter");
    await page.getByText("That did not work").waitFor();
    await shot(page, "7-sign-in");
    const token = await signIn(server.url, "pasted");
    await page.getByLabel("Access token").fill(token);
    await page.getByRole("button", { name: "Connect" }).click();
    await page.getByText("Online").waitFor();
    expect(await page.getByLabel("Access token").count()).toBe(0);
    const { origins } = await page.context().storageState();
    expect(JSON.stringify(origins)).not.toContain(token);
  }, 20_000);
});

async function ask(page: Page, question: string): Promise<void> {
  await page.getByLabel("Your message").fill(question);
  await page.keyboard.press("Enter");
  await page.locator(".answer .prose").first().waitFor();
}

/** The question that is open. */
function approval(page: Page): Locator {
  return page.getByRole("group", { name: "Approval of send_refund" }).and(page.locator(".approval"));
}

function bubbles(page: Page): Promise<string[]> {
  return page.locator(".bubble").allTextContents();
}

/** The names that buttons have for those who do not see them. */
async function labels(buttons: Locator): Promise<(string | null)[]> {
  return Promise.all((await buttons.all()).map((button) => button.getAttribute("aria-label")));
}

/** The next thing that somebody says about an answer. */
function commented(client: Client): Promise<string> {
  return new Promise((resolve) => {
    client.on(
      "feedback_recorded",
      ({ payload }) => payload.comment !== undefined && resolve(payload.comment),
    );
  });
}

function versions(page: Page): Promise<string[]> {
  return page.locator(".versions:visible span").allTextContents();
}

/** Gives the log of this user another epoch: whoever comes back has to begin anew. */
async function invalidate({ state }: Client): Promise<void> {
  if (state.status !== "open") throw new Error("the witness is not connected");
  const token = await signIn(server.url, "operator", { permissions: ["admin"] });
  const path = `/v1/users/${state.greeting.user_id}/invalidate`;
  const { ok } = await fetch(server.url + path, {
    method: "POST",
    headers: { Authorization: `Bearer ${token}` },
  });
  expect(ok).toBe(true);
}

async function launch(): Promise<Browser> {
  const args = chromium.args.filter((arg) => !UNWANTED_ARGS.includes(arg));
  return launcher.launch({ executablePath: await executable(), args, headless: true });
}

/** One that is installed, or the packaged one, which is for Linux only. */
async function executable(): Promise<string> {
  const installed = [
    process.env.CHROMIUM_PATH,
    "/usr/bin/chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
  ].find((path) => path !== undefined && existsSync(path));
  return installed ?? (await chromium.executablePath());
}

/** A new guest on the page, online. */
async function visit(viewport: { width: number; height: number }, colorScheme: "light" | "dark") {
  const context = await browser.newContext({ viewport, colorScheme, reducedMotion: "reduce" });
  const page = await context.newPage();
  const faults: string[] = [];
  const foreign: string[] = [];
  page.on("pageerror", ({ message }) => faults.push(message));
  // What a lost network makes the browser say is no fault of the page.
  page.on("console", (line) => {
    if (line.type() === "error" && !line.text().includes("net::ERR_")) faults.push(line.text());
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(network.url) && !request.url().startsWith("data:"))
      foreign.push(request.url());
  });
  await page.goto(network.url);
  await page.getByText("Online").waitFor();
  return { page, context, faults, foreign };
}

/** The same user's client on an undisturbed network: what the page must end up showing. */
async function watch(page: Page): Promise<Client> {
  const name = await page.locator("#account").textContent();
  const client = connect({ url: server.url, getToken: () => signIn(server.url, name ?? "") });
  await new Promise<void>((resolve) => {
    client.on("frame", ({ type }) => type === "replay_completed" && resolve());
  });
  return client;
}

function ended(client: Client): Promise<Run> {
  return new Promise((resolve) => {
    client.on("agent_completed", ({ payload }) => {
      const run = client.conversation.runs.find(({ run_id }) => run_id === payload.run_id);
      if (run !== undefined) resolve(run);
    });
  });
}

async function expectSame(page: Page, view: Conversation, run: Run): Promise<void> {
  await expectAnswer(page, view);
  const tools = run.steps.flatMap((step) => (step.kind === "tool" ? [step.tool_name] : []));
  const thoughts = run.steps.flatMap((step) => (step.kind === "thinking" ? [step.thought] : []));
  expect(await page.locator(".tool-name").allTextContents()).toEqual(tools);
  expect(await page.locator(".step.thinking").allTextContents()).toEqual(thoughts);
  expect(tools.length).toBeGreaterThan(0);
  expect(thoughts.length).toBeGreaterThan(0);
}

async function expectAnswer(page: Page, view: Conversation): Promise<void> {
  const questions = view.messages.filter(({ role }) => role === "user").map(({ content }) => content);
  const answers = view.messages.filter(({ role }) => role === "assistant");
  const titles = answers.flatMap(({ report }) => report?.recommendations.map(({ title }) => title) ?? []);
  expect(titles.length).toBeGreaterThanOrEqual(3);
  await expect.poll(() => page.locator(".recommendations .title").allTextContents()).toEqual(titles);
  await expect
    .poll(async () => (await page.locator(".prose").allTextContents()).map(words))
    .toEqual(answers.map(({ content }) => words(plainText(content))));
  expect(await page.locator(".bubble").allTextContents()).toEqual(questions);
}

function plainText(markdown: string): string {
  const entities: Readonly<Record<string, string>> = {
    "&quot;": '"',
    "&amp;": "&",
    "&lt;": "<",
    "&gt;": ">",
  };
  return markdownHtml(markdown)
    .replace(/<[^>]*>/g, " ")
    .replace(/&\w+;/g, (entity) => entities[entity] ?? entity);
}

/** Markup may put spaces anywhere between words. */
function words(text: string): string {
  return text.replace(/\s+/g, "");
}

async function shot(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: `${SCREENSHOTS}/${name}.png` });
}
