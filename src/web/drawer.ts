/** On a narrow screen the list of threads is a drawer over the page; on a wide one it is simply there. */

const NARROW = matchMedia("(max-width: 60rem)");

export interface DrawerOptions {
  readonly panel: HTMLElement;
  readonly backdrop: HTMLElement;
  readonly opener: HTMLButtonElement;
  readonly closer: HTMLButtonElement;
  /** What cannot be reached while the drawer is open. */
  readonly behind: readonly HTMLElement[];
}

export class Drawer {
  readonly #options: DrawerOptions;

  constructor(options: DrawerOptions) {
    this.#options = options;
    const { panel, backdrop, opener, closer } = options;
    opener.addEventListener("click", () => this.#set(true));
    for (const element of [backdrop, closer]) element.addEventListener("click", () => this.close());
    panel.addEventListener("keydown", ({ key }) => key === "Escape" && this.close());
    NARROW.addEventListener("change", () => this.#set(false));
  }

  /** Nothing where it is not open. */
  close(): void {
    if (!this.#options.panel.classList.contains("open")) return;
    this.#set(false);
    this.#options.opener.focus();
  }

  #set(open: boolean): void {
    const { panel, backdrop, opener, closer, behind } = this.#options;
    panel.classList.toggle("open", open);
    backdrop.hidden = !open;
    opener.setAttribute("aria-expanded", String(open));
    for (const element of behind) element.inert = open;
    if (open) closer.focus();
  }
}
